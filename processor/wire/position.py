"""Where a stream stands, in ``orders.progress`` beside all else that a task knows.

Each transaction that touches a stream writes its position, so the table alone tells where to go on:
the group's offsets are a copy, for tools that show lag. The origin says what the table belongs to.
"""

from typing import Annotated, Final, Literal, NotRequired

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from processor.wire.snapshot import Slot
from processor.wire.version import Schema

POSITION_KEY: Final = "position"
ORIGIN_KEY: Final = "origin"

Offset = Annotated[int, Field(ge=0, le=2**63 - 1)]


class SlotExtents(TypedDict):
    """How many chunk keys each snapshot slot may hold."""

    a: int
    b: int


class DirectoryExtents(TypedDict):
    """The extents of a shard: owners, a sum over their placements, and parked commands."""

    owners: int
    owners_sum: int
    parked: int


class ProgressExtents(TypedDict):
    """The extents of ``orders.progress`` beside position and origin.

    ``seq`` is the last one written, ``records`` counts the keys, ``sum`` is over their records.
    """

    seq: int
    records: int
    sum: int


class ReorderMark(TypedDict):
    """How far a stream has put its events in order.

    ``released_us`` is the highest event time released in order, -1 for none; ``events_read`` and
    ``routed_read`` are the next offsets to read of ``orders.events`` and ``orders.routed``. Events
    before them that are not finished are held.
    """

    released_us: int
    events_read: int
    routed_read: int


class Position(TypedDict):
    """A stream's position, written in one transaction with the effects of all input before it.

    ``owner`` is the transactional id of the process that wrote it. ``events``, ``routed`` and
    ``claims`` are the next offsets of the stream's input partitions. ``seq`` is the stream's last
    change; ``live_orders`` is how many orders it has and ``seq_sum`` the sum of their ``seq``, so
    that a restore can tell whether it has them all, each in its last version; ``next_slot`` is
    where the next snapshot goes. ``reorder`` is there while events are put in order by their time;
    ``finished_events`` counts the events that the stream has finished since repeats are refused.
    """

    schema: Schema
    type: Literal["position"]
    owner: str
    events: Offset
    routed: Offset
    claims: Offset
    seq: int
    live_orders: int
    seq_sum: int
    next_slot: Slot
    slot_chunks: SlotExtents
    directory: DirectoryExtents
    progress: ProgressExtents
    reorder: NotRequired[ReorderMark]
    finished_events: NotRequired[int]


class Origin(TypedDict):
    """The origin of a stream's tables, written once, before its first position.

    ``app_id`` is the only one that may process these topics, ``generation`` the number of streams,
    and ``topics`` has the id of each topic (KIP-516), so that one made anew is noticed.
    """

    schema: Schema
    type: Literal["origin"]
    app_id: str
    generation: int
    topics: dict[str, str]


POSITION: Final[TypeAdapter[Position]] = TypeAdapter(Position)
ORIGIN: Final[TypeAdapter[Origin]] = TypeAdapter(Origin)


def dump_position(position: Position) -> bytes:
    """Write a position as JSON."""
    return POSITION.dump_json(position)


def parse_position(value: bytes) -> Position:
    """Read a position.

    Raises:
        ValueError: the bytes are none.
    """
    return POSITION.validate_json(value, strict=True)


def dump_origin(origin: Origin) -> bytes:
    """Write an origin as JSON."""
    return ORIGIN.dump_json(origin)


def parse_origin(value: bytes) -> Origin:
    """Read an origin.

    Raises:
        ValueError: the bytes are none.
    """
    return ORIGIN.validate_json(value, strict=True)
