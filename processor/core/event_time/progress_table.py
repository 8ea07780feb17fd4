"""A task's partition of ``orders.progress`` as far as it is read: what a restore needs."""

from collections.abc import Sequence

from processor.core.directory.forwarding import text_of
from processor.core.event_time.finished_offsets import PREFIX as FINISHED_PREFIX
from processor.core.event_time.finished_offsets import FinishedOffsets
from processor.core.event_time.offset_ranges import Runs, from_on, joined, unpack
from processor.core.event_time.progress_log import ProgressLog
from processor.core.event_time.seen_blocks import PREFIX as IDS_PREFIX
from processor.core.event_time.seen_blocks import SeenBlocks, read_ids
from processor.core.event_time.seen_ids import SeenIds
from processor.wire.live_order import SEQ_HEADER
from processor.wire.position import (
    ORIGIN_KEY,
    POSITION_KEY,
    Origin,
    Position,
    parse_origin,
    parse_position,
)
from processor.wire.progress import parse_progress
from processor.wire.record import Header

OffsetRuns = tuple[Runs, Runs]
"""Offsets of ``orders.events`` and of ``orders.routed``."""


class ProgressTable:
    """The last record of each key; what it says is read at once, so that a bad one is found."""

    def __init__(self) -> None:
        self.position: Position | None = None
        """Where the stream stands; None before its first take-over."""
        self.position_value: bytes | None = None
        """The same, as it was written."""
        self.origin: Origin | None = None
        """The origin of the table; None before the stream's first start."""
        self._log = ProgressLog()
        self._seq = 0
        self._finished: dict[str, OffsetRuns] = {}
        self._ids: dict[str, list[tuple[int, int]]] = {}

    @property
    def seq(self) -> int:
        """The highest ``seq`` of what was read; compaction may have dropped a higher one."""
        return self._seq

    @property
    def extents(self) -> tuple[int, int]:
        """``records`` and ``sum`` as in the position."""
        extents = self._log.extents
        return extents["records"], extents["sum"]

    def put(self, key: bytes | None, value: bytes | None, headers: Sequence[Header]) -> None:
        """Take the partition's next record.

        Raises:
            ValueError: the record is none of the processor's.
        """
        text = text_of(key)
        if value is not None and text == POSITION_KEY:
            self.position, self.position_value = parse_position(value), value
            return
        if value is not None and text == ORIGIN_KEY:
            self.origin = parse_origin(value)
            return
        self._log.note(text, value)
        self._finished.pop(text, None)
        self._ids.pop(text, None)
        if value is None:
            self._seq = max(self._seq, _tombstone_seq(headers))
            return
        record = parse_progress(value)
        if record["type"] == "finished" and text.startswith(FINISHED_PREFIX):
            self._finished[text] = unpack(record["events"]), unpack(record["routed"])
        elif record["type"] == "ids" and text.startswith(IDS_PREFIX):
            self._ids[text] = list(read_ids(record))
        else:
            raise ValueError(f"a record of type {record['type']} under the key {text}")
        self._seq = max(self._seq, record["seq"])

    def log(self, seq: int) -> ProgressLog:
        """The partition's log, to go on with; to be asked for once.

        Args:
            seq: the last one that was committed.
        """
        return self._log.going_on_from(max(seq, self._seq))

    def finished(self, committed: tuple[int, int]) -> OffsetRuns:
        """The offsets from the committed ones on that are finished."""
        kept = self._finished.values()
        return (
            from_on(joined(run for events, _ in kept for run in events), committed[0]),
            from_on(joined(run for _, routed in kept for run in routed), committed[1]),
        )

    def finished_offsets(self, log: ProgressLog) -> FinishedOffsets:
        """The collection of finished offsets, to go on with.

        Args:
            log: where to write.
        """
        return FinishedOffsets(log, sorted(self._finished.items()))

    def seen_ids(
        self, log: ProgressLog, max_events: int, events: int
    ) -> tuple[SeenIds, SeenBlocks]:
        """The remembered ids, and what goes on writing them.

        Args:
            log: where to write.
            max_events: for how many events an id is remembered.
            events: how many events the stream has finished, from the position.
        """
        seen = SeenIds(max_events)
        kept = sorted(self._ids.items())
        seen.put_back((one for _, ids in kept for one in ids), events)
        return seen, SeenBlocks(log, [(key, ids[-1][0] + 1) for key, ids in kept if ids])

    def remove_ids(self, log: ProgressLog) -> None:
        """Remove the remembered ids: repeats are not refused any more."""
        for key in self._ids:
            log.remove(key)


def _tombstone_seq(headers: Sequence[Header]) -> int:
    for name, value in headers:
        if name == SEQ_HEADER and value is not None:
            return int(value)
    raise ValueError("a tombstone without seq")
