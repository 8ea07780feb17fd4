"""Events on their way from the task that read them to the one that finishes them.

The record's value is the event's own, byte for byte, and its headers are the event's own followed
by two of ours: its key, and a note in JSON. So whoever finishes an event knows what its reader
knew, and what was short enough for ``orders.events`` stays so but for some hundred bytes.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from processor.wire.answer import InputPosition
from processor.wire.placement import Placement
from processor.wire.record import Header
from processor.wire.version import Schema

KEY_HEADER: Final = "live-orders.key"
NOTE_HEADER: Final = "live-orders.note"

RawEvent = tuple[bytes | None, bytes, Sequence[Header], int]
"""An event's record: key, value, headers, and Kafka's timestamp in milliseconds."""


class ForwardedCommand(TypedDict):
    """On ``orders.claims``: a command without a user, to the shard of its order id."""

    schema: Schema
    type: Literal["forwarded_command"]
    input: InputPosition
    timestamp: int


class RoutedCommand(TypedDict):
    """On ``orders.routed``: such a command, to the stream of the order that owned the id."""

    schema: Schema
    type: Literal["routed_command"]
    input: InputPosition
    timestamp: int
    placement: Placement


class RoutedEvent(TypedDict):
    """On ``orders.routed``: an event that was read in another stream than its user's."""

    schema: Schema
    type: Literal["routed_event"]
    input: InputPosition
    timestamp: int


class ParkedCommand(TypedDict):
    """In ``orders.directory``: a command whose order id nobody owns yet; an RFC 3339 deadline."""

    schema: Schema
    type: Literal["parked_command"]
    input: InputPosition
    timestamp: int
    deadline: str


Note = ForwardedCommand | RoutedCommand | RoutedEvent | ParkedCommand
NOTE: Final[TypeAdapter[Note]] = TypeAdapter(Annotated[Note, Field(discriminator="type")])
_read: Any = NOTE.validator.validate_json


def note_headers(raw: RawEvent, note: str) -> list[Header]:
    """The headers of an event on its way."""
    key, _, headers, _ = raw
    return [*headers, (KEY_HEADER, key), (NOTE_HEADER, note.encode())]


def has_note(headers: Sequence[Header]) -> bool:
    """Whether the record is an event on its way."""
    return bool(headers) and headers[-1][0] == NOTE_HEADER


def read_note(value: bytes | None, headers: Sequence[Header]) -> tuple[Note, RawEvent]:
    """The note of an event on its way, and the event's record as it was read.

    Raises:
        ValueError: the record is no such event, or of an unknown schema version.
    """
    if value is None or [name for name, _ in headers[-2:]] != [KEY_HEADER, NOTE_HEADER]:
        raise ValueError("no event with a note")
    note: Note = _read(headers[-1][1], strict=True)
    return note, (headers[-2][1], value, list(headers[:-2]), note["timestamp"])
