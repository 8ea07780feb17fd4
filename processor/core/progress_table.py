"""A task's partition of ``orders.progress`` as far as it is read: what a restore needs."""

from collections.abc import Sequence

from processor.core.finished import PREFIX as FINISHED_PREFIX
from processor.core.finished import FinishedOffsets
from processor.core.forwarding import text_of
from processor.core.offset_runs import Runs, from_on, joined, unpack
from processor.core.progress_log import ProgressLog
from processor.core.seen_blocks import PREFIX as IDS_PREFIX
from processor.core.seen_blocks import SeenBlocks, read_ids
from processor.core.seen_ids import SeenIds
from schemas.dead_letter import Header
from schemas.live_order import SEQ_HEADER
from schemas.progress import parse_progress

OffsetRuns = tuple[Runs, Runs]
"""Offsets of ``orders.events`` and of ``orders.routed``."""


class ProgressTable:
    """The last record of each key; what it says is read at once, so that a bad one is found."""

    def __init__(self) -> None:
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
        """``records`` and ``sum`` as in the commit metadata."""
        extents = self._log.extents
        return extents["records"], extents["sum"]

    def put(self, key: bytes | None, value: bytes | None, headers: Sequence[Header]) -> None:
        """Take the partition's next record.

        Raises:
            ValueError: the record is none of the processor's.
        """
        text = text_of(key)
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

    def finished_offsets(self, log: ProgressLog, *, reads_routed: bool = True) -> FinishedOffsets:
        """What goes on collecting finished offsets.

        Args:
            log: where to write.
            reads_routed: whether ``orders.routed`` is read. If not, its committed offset does not
                pass anything, and records must not wait for it.
        """
        kept = sorted(self._finished.items())
        if not reads_routed:
            kept = [(key, (events, [])) for key, (events, _) in kept]
        return FinishedOffsets(log, kept)

    def seen_ids(
        self, log: ProgressLog, max_events: int, events: int
    ) -> tuple[SeenIds, SeenBlocks]:
        """The remembered ids, and what goes on writing them.

        Args:
            log: where to write.
            max_events: for how many events an id is remembered.
            events: how many events the stream has finished, from the commit metadata.
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
