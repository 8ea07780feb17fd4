"""What a task writes beside its committed offset: enough to go on exactly where it stopped."""

from typing import Final, Literal

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from schemas.snapshot import Slot

CommitVersion = Literal[1]


class SlotExtents(TypedDict):
    """How many chunk keys each snapshot slot may hold."""

    a: int
    b: int


class DirectoryExtents(TypedDict):
    """What a directory shard holds: owners, a sum over their placements, and parked commands."""

    owners: int
    owners_sum: int
    parked: int


class ProgressExtents(TypedDict):
    """What ``orders.progress`` holds: its last ``seq``, its keys, and a sum over their records."""

    seq: int
    records: int
    sum: int


class ReorderMark(TypedDict):
    """How far a stream has put its events in order.

    ``released_us`` is the highest event time released in order, -1 for none; ``events_read`` and
    ``routed_read`` are the next offsets to read of ``orders.events`` and ``orders.routed``: what of
    the offsets before them is not finished is held.
    """

    released_us: int
    events_read: int
    routed_read: int


class CommitNotes(TypedDict, total=False):
    """What the metadata has only when it applies.

    ``directory`` is there since the directory was turned on: all live orders are claimed;
    ``claimed_seq`` while that is going on: those with a ``placed_seq`` up to it are. ``reorder`` is
    there while events are put in order by their time; ``finished_events`` counts the events that
    the stream has finished since repeats are refused.
    """

    directory: DirectoryExtents
    claimed_seq: int
    reorder: ReorderMark
    finished_events: int
    progress: ProgressExtents


class CommitMetadata(CommitNotes):
    """Committed in one transaction with the effects of all input before the offset.

    ``seq`` is the stream's last change; ``live_orders`` is how many orders it has and ``seq_sum``
    the sum of their ``seq``, so that a restore can tell whether it has them all, each in its last
    version; ``next_slot`` is where the next snapshot goes.
    """

    v: CommitVersion
    seq: int
    live_orders: int
    seq_sum: int
    next_slot: Slot
    slot_chunks: SlotExtents


COMMIT_METADATA: Final[TypeAdapter[CommitMetadata]] = TypeAdapter(CommitMetadata)


def dump_commit(metadata: CommitMetadata) -> str:
    """Write the metadata as the JSON text that goes with an offset (at most 4,096 bytes)."""
    return COMMIT_METADATA.dump_json(metadata).decode()


def parse_commit(text: str) -> CommitMetadata | None:
    """Read the metadata; None when it is not ours (another tool committed the offset)."""
    try:
        return COMMIT_METADATA.validate_json(text)
    except ValidationError:
        return None
