"""Reading dead letters, each with what is noted of it."""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from processor.reader.ports import Bounds, Log
from processor.reader.read_range import batches
from processor.wire.dead_letter import ReadDeadLetter, read_dead_letter
from processor.wire.record import InputRecord
from processor.wire.replay import Position, is_note, read_note
from processor.wire.timestamp import record_time_us


class Replay(NamedTuple):
    """That a letter was put back: as which event, and when."""

    event: Position
    at_us: int


class Letter(NamedTuple):
    """A dead letter: its place, its record, what its headers say, and when it was put back."""

    place: Position
    record: InputRecord
    said: ReadDeadLetter
    replays: Sequence[Replay]


def letter_of(partition: int, record: InputRecord, replays: Sequence[Replay] = ()) -> Letter:
    """A record of ``orders.dead-letters`` as a letter."""
    place = Position(partition, record.offset)
    return Letter(place, record, read_dead_letter(record.headers), replays)


async def letters(
    log: Log, topic: str, partition: int, bounds: Bounds
) -> AsyncIterator[list[Letter]]:
    """The dead letters of a stretch of a partition, batch by batch.

    It is read twice, for the notes stand behind the letters: so no more than a batch of letters
    is held, and one number for each that was put back.

    Raises:
        TaskLost: the broker failed us.
    """
    replays: dict[int, list[Replay]] = {}
    async for records in batches(log, topic, partition, bounds):
        for record in records:
            if is_note(record.value, record.headers):
                _add(replays, partition, record)
    async for records in batches(log, topic, partition, bounds):
        yield [
            letter_of(partition, record, replays.get(record.offset, ()))
            for record in records
            if not is_note(record.value, record.headers)
        ]


def _add(replays: dict[int, list[Replay]], partition: int, record: InputRecord) -> None:
    try:
        letter, event = read_note(record.headers)
    except ValueError:
        return  # somebody else's: it says nothing of a letter
    if letter.partition == partition:
        replays.setdefault(letter.offset, []).append(
            Replay(event, record_time_us(record.timestamp))
        )
