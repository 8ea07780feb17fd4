"""A task's knowledge beside its orders: ids it has seen, and events it holds."""

from dataclasses import dataclass

from processor.core.event_time.event_order import EventOrder
from processor.core.event_time.progress_log import ProgressLog
from processor.core.event_time.seen_blocks import SeenBlocks
from processor.core.event_time.seen_ids import SeenIds
from processor.wire.position import ProgressExtents
from processor.wire.record import Record


@dataclass(frozen=True, slots=True)
class Progress:
    """A task's records in ``orders.progress``: those to write, and those there.

    ``seen`` is None when repeats are not refused, ``order`` when events are taken as they come.
    """

    log: ProgressLog
    seen: SeenIds | None
    blocks: SeenBlocks | None
    order: EventOrder | None

    def records(self) -> list[Record]:
        """The records of this slice."""
        if self.seen is not None and self.blocks is not None:
            self.blocks.write(self.seen)
        return self.log.drain()

    @property
    def extents(self) -> ProgressExtents:
        """The topic's extents after `records`, for the position."""
        return self.log.extents
