"""Dead letters that were put back on ``orders.events``: the event's mark, and the note of it.

A note is a record of ``orders.dead-letters`` that is no letter: no key, no value, two headers. It
stands in the letter's partition behind it, so retention never takes it before the letter.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from processor.wire.record import Header, Record

REPLAY_OF: Final = "replay.of"
REPLAY_AS: Final = "replay.as"
_POSITION = re.compile(r"([0-9]{1,9})/([0-9]{1,19})", re.ASCII)


class Position(NamedTuple):
    """Where a record stands in its topic; as text ``partition/offset``."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}/{self.offset}"


class PutBack(NamedTuple):
    """A record for ``orders.events``, from a letter, for a partition.

    ``problem``: why it would be refused once more; nothing when it is an event.
    """

    letter: Position
    partition: int
    record: Record
    problem: str


def parse_position(text: str) -> Position:
    """Read ``partition/offset``.

    Raises:
        ValueError: the text is no such place.
    """
    found = _POSITION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not PARTITION/OFFSET, such as 6/0")
    return Position(int(found[1]), int(found[2]))


def marked_headers(headers: Sequence[Header], letter: Position) -> list[Header]:
    """A producer's headers with the mark of the letter; an older mark goes."""
    kept = [(name, value) for name, value in headers if name != REPLAY_OF]
    return [*kept, (REPLAY_OF, str(letter).encode())]


def replay_note(letter: Position, event: Position) -> list[Header]:
    """The headers of the note that a letter was put back as an event."""
    return [(REPLAY_OF, str(letter).encode()), (REPLAY_AS, str(event).encode())]


def is_note(value: bytes | None, headers: Sequence[Header]) -> bool:
    """Whether a record of ``orders.dead-letters`` is a note and no letter."""
    return value is None and [name for name, _ in headers] == [REPLAY_OF, REPLAY_AS]


def read_note(headers: Sequence[Header]) -> tuple[Position, Position]:
    """Of a note: the letter, and the event as which it was put back.

    Raises:
        ValueError: it was written by somebody else.
    """
    (_, letter), (_, event) = headers
    return parse_position((letter or b"").decode()), parse_position((event or b"").decode())
