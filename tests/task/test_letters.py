"""Reading dead letters: notes are no letters, and each letter has its own."""

from processor.reader.dead_letters import Letter, letters
from processor.reader.ports import Bounds
from processor.wire.record import Record
from processor.wire.replay import Position, replay_note
from tests.letters import letter_record
from tests.task.world import World


def note(letter: Position, event: Position) -> Record:
    return None, None, replay_note(letter, event)


async def read(world: World, begin: int = 0) -> list[Letter]:
    broker, topic = world.broker(), world.topics.dead_letters
    end = (await broker.bounds(topic, 0)).end
    found = letters(broker, topic, 0, Bounds(begin, end))
    return [letter async for batch in found for letter in batch]


def with_letters(*notes: Record) -> World:
    """Two letters, a note of the second one, and more notes."""
    world = World()
    one = letter_record()
    record: Record = (one.key, one.value, list(one.headers))
    given = [record, record, note(Position(0, 1), Position(5, 17)), *notes]
    world.kafka.append(world.topics.dead_letters, 0, given)
    return world


async def test_a_letter_knows_as_which_events_it_was_put_back() -> None:
    world = with_letters(note(Position(0, 1), Position(5, 18)))
    first, second = await read(world)
    assert (first.place, list(first.replays)) == (Position(0, 0), [])
    assert second.place == Position(0, 1)
    assert [one.event for one in second.replays] == [Position(5, 17), Position(5, 18)]
    assert all(one.at_us >= 0 for one in second.replays)


async def test_the_letters_alone_can_be_read_from_any_of_them_on() -> None:
    (second,) = await read(with_letters(), begin=1)
    assert [one.event for one in second.replays] == [Position(5, 17)]


async def test_notes_that_make_no_sense_say_nothing() -> None:
    world = with_letters(
        note(Position(3, 0), Position(5, 17)),
        (None, None, [("replay.of", b"\xff"), ("replay.as", None)]),
    )
    first, second = await read(world)
    assert (len(first.replays), len(second.replays)) == (0, 1)


async def test_what_only_looks_like_a_note_is_a_letter() -> None:
    headers = replay_note(Position(0, 0), Position(5, 17))
    world = with_letters((b"", b"a value", headers))
    assert len(await read(world)) == 3
