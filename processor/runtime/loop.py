"""The running part of a task's life: batch after batch, each in one transaction."""

import asyncio
from collections.abc import Mapping, Sequence

from processor.core.records import NO_HEADERS
from processor.core.snapshot import SnapshotWriter
from processor.runtime.context import TaskContext
from processor.runtime.ports import InputReader, InputRecord, StreamWriter
from processor.runtime.restore import Restored
from processor.runtime.work import EventWork, Work
from schemas.commit import dump_commit

Fetched = Mapping[str, Sequence[InputRecord]]

# One fetch's records are applied in one go: some 10 ms, after which others get their turn.
_SLICE_EVENTS = 250
# How long to wait for more records that are known to be there before a batch counts as complete.
_MORE_TIMEOUT_MS = 20
# How long an idle task sleeps in a fetch: it looks for snapshots that are due, and for its gate.
_IDLE_TIMEOUT_MS = 100


class StreamLoop:
    """Reads, applies, writes and commits for one stream."""

    def __init__(
        self,
        context: TaskContext,
        writer: StreamWriter,
        reader: InputReader,
        restored: Restored,
    ) -> None:
        self.next_offset = restored.next_offset
        self._stream = context.stream
        self._topics = context.plan.topics
        self._settings = context.settings
        self._gate = context.gate
        self._clock = context.clock
        self._new_id = context.new_id
        self._observer = context.observer
        self._writer = writer
        self._reader = reader
        self._orders = restored.orders
        self._work: Work = EventWork(context, writer, restored.orders)
        self._live_end = restored.live_end
        self._snapshots = _snapshot_writer(context, restored)
        self._last_commit_ms = self._clock.monotonic_ms()

    async def commit_start(self) -> None:
        """Commit nothing but the offset to start from.

        Whatever cuts this first transaction short, the outputs are still empty, and the next
        start is a first start again.
        """
        async with self._gate.turn():
            await self._writer.begin()
            await self._commit()

    async def once(self) -> None:
        """Wait for records for a while, and bring what there is to do into one transaction."""
        fetched = await self._reader.fetch(
            max_records=min(_SLICE_EVENTS, self._settings.max_batch_events),
            timeout_ms=0 if self._snapshots.writing else _IDLE_TIMEOUT_MS,
        )
        if fetched or self._has_idle_work():
            async with self._gate.turn():
                await self._transact(fetched)

    def _has_idle_work(self) -> bool:
        now_ms = self._clock.monotonic_ms()
        return (
            self._snapshots.writing
            or self._snapshots.due(self._orders, now_ms)
            or now_ms - self._last_commit_ms >= self._settings.offset_refresh_interval_ms
        )

    async def _transact(self, fetched: Fetched) -> None:
        await self._writer.begin()
        snapshot_ns = self._write_snapshot_slice()
        events = await self._apply_batch(fetched)
        applied_ns = self._clock.monotonic_ns()
        await self._commit()
        commit_ns = self._clock.monotonic_ns() - applied_ns
        self._observer.on_commit(self._stream, events, snapshot_ns, commit_ns)

    def _write_snapshot_slice(self) -> int:
        """Go on with a snapshot, or begin one that is due; the nanoseconds it took.

        Comes before the batch: in between two transactions all that is in memory is committed.
        """
        started_ns = self._clock.monotonic_ns()
        now_ms = started_ns // 1_000_000
        if self._snapshots.due(self._orders, now_ms):
            self._snapshots.begin(
                self._orders,
                snapshot_id=self._new_id(),
                as_of_offset=self.next_offset,
                live_offset=self._live_end,
                taken_at_us=self._clock.now_us(),
                now_ms=now_ms,
            )
        records = self._snapshots.next_slice(now_ms)
        if records:
            self._writer.write(
                self._topics.snapshots, [(key, value, NO_HEADERS) for key, value in records]
            )
        return self._clock.monotonic_ns() - started_ns

    async def _apply_batch(self, fetched: Fetched) -> int:
        """Apply records until the batch is complete: idle, long enough, or full."""
        deadline_ms = self._clock.monotonic_ms() + self._settings.commit_interval_ms
        events = 0
        while fetched:
            self._snapshots.count_other_bytes(self._work.apply(fetched))
            events += sum(map(len, fetched.values()))
            left_ms = deadline_ms - self._clock.monotonic_ms()
            room = self._settings.max_batch_events - events
            if left_ms <= 0 or room <= 0 or self._gate.waiting or not self._lags():
                break
            # A fetch that finds records does not yield: let the other tasks in.
            await asyncio.sleep(0)
            fetched = await self._reader.fetch(
                max_records=min(room, _SLICE_EVENTS), timeout_ms=min(left_ms, _MORE_TIMEOUT_MS)
            )
        return events

    def _lags(self) -> bool:
        """Whether there is more to read, as far as known."""
        return self._reader.lag(self._topics.events) > 0

    async def _commit(self) -> None:
        """Commit the offset up to which everything is applied, with all that was written."""
        next_offset = max(self._reader.position(self._topics.events), self.next_offset)
        metadata = dump_commit(
            {
                "v": 1,
                "seq": self._orders.seq,
                "live_orders": len(self._orders),
                "seq_sum": self._orders.seq_sum,
                "next_slot": self._snapshots.next_slot,
                "slot_chunks": self._snapshots.slot_chunks,
            }
        )
        self._live_end = max(self._live_end, await self._writer.commit(next_offset, metadata))
        self.next_offset = next_offset
        self._last_commit_ms = self._clock.monotonic_ms()


def _snapshot_writer(context: TaskContext, restored: Restored) -> SnapshotWriter:
    policy = context.settings.snapshots
    if restored.metadata is None:
        return SnapshotWriter(context.stream, policy)
    return SnapshotWriter(
        context.stream,
        policy,
        next_slot=restored.metadata["next_slot"],
        slot_chunks=restored.metadata["slot_chunks"],
    )
