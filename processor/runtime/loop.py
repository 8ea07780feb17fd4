"""The running part of a task's life: batch after batch, each in one transaction."""

import asyncio
from collections.abc import Mapping, Sequence

from processor.core.records import NO_HEADERS
from processor.core.snapshot import SnapshotWriter
from processor.runtime.context import TaskContext
from processor.runtime.ports import InputReader, InputRecord, StreamWriter
from processor.runtime.purge import QueuePurge
from processor.runtime.restore import Restored
from processor.runtime.work import Work
from schemas.commit import CommitMetadata, dump_commit

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
        self.next_offset = restored.stream.next_offset
        self._stream = context.stream
        self._topics = context.plan.topics
        self._inputs = tuple(restored.offsets)
        self._settings = context.settings
        self._gate = context.gate
        self._clock = context.clock
        self._new_id = context.new_id
        self._observer = context.observer
        self._writer = writer
        self._reader = reader
        self._orders = restored.stream.orders
        self._work = Work(context, writer, reader, restored)
        self._purge = QueuePurge(context.broker, context.stream, context.clock)
        self._live_end = restored.stream.live_end
        self._snapshots = _snapshot_writer(context, restored)
        self._last_commit_ms = self._clock.monotonic_ms()

    async def commit_start(self) -> None:
        """Commit nothing but the offsets to start from.

        Whatever cuts this first transaction short, the outputs are still empty, and the next
        start is a first start again.
        """
        async with self._gate.turn():
            await self._writer.begin()
            await self._commit()

    async def turn_on(self, claimed_seq: int) -> None:
        """Claim all live orders, and note that this was done in the transaction after the last.

        Whatever cuts it short, none is claimed twice: the second claim could win after the first
        one has lost, and the order is revoked all the same.

        Args:
            claimed_seq: those with a ``placed_seq`` up to this are claimed already.
        """
        claims = self._work.claim_all(claimed_seq)
        claiming = True
        while claiming:
            async with self._gate.turn():
                await self._writer.begin()
                so_far = next(claims, None)
                await self._commit(claimed_seq=so_far)
                claiming = so_far is not None

    async def once(self) -> None:
        """Wait for records for a while, and bring what there is to do into one transaction."""
        fetched = await self._reader.fetch(
            max_records=min(_SLICE_EVENTS, self._settings.max_batch_events),
            timeout_ms=0 if self._snapshots.writing else _IDLE_TIMEOUT_MS,
        )
        if await self._work.is_due() or fetched or self._has_idle_work():
            async with self._gate.turn():
                await self._transact(fetched)
        self._purge.go_on()

    def _has_idle_work(self) -> bool:
        now_ms = self._clock.monotonic_ms()
        return (
            self._snapshots.writing
            or self._writer.in_doubt
            or self._snapshots.due(self._orders, now_ms)
            or now_ms - self._last_commit_ms >= self._settings.offset_refresh_interval_ms
        )

    async def _transact(self, fetched: Fetched) -> None:
        await self._writer.begin()
        snapshot_ns = self._write_snapshot_slice()
        events = await self._apply_batch(fetched)
        self._snapshots.count_other_bytes(self._work.apply_due())
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
        return any(self._reader.lag(topic) > 0 for topic in self._inputs)

    async def _commit(self, *, claimed_seq: int | None = None) -> None:
        """Commit the offsets up to which everything is finished, with all that was written.

        Args:
            claimed_seq: the last order that the directory knows, when it does not know all.
        """
        queues = self._work.finish()
        next_offset = queues.pop(self._topics.events)
        metadata = dump_commit(self._metadata(claimed_seq))
        live_end = await self._writer.commit(next_offset, metadata, queues)
        self._live_end = max(self._live_end, live_end)
        self.next_offset = next_offset
        self._purge.note(queues)
        self._last_commit_ms = self._clock.monotonic_ms()

    def _metadata(self, claimed_seq: int | None) -> CommitMetadata:
        notes = self._work.notes()
        if claimed_seq is not None:
            del notes["directory"]
            notes["claimed_seq"] = claimed_seq
        return {
            "v": 1,
            "seq": self._orders.seq,
            "live_orders": len(self._orders),
            "seq_sum": self._orders.seq_sum,
            "next_slot": self._snapshots.next_slot,
            "slot_chunks": self._snapshots.slot_chunks,
            **notes,
        }

    async def close(self) -> None:
        """End what goes on beside the transactions. Never raises."""
        await self._purge.close()


def _snapshot_writer(context: TaskContext, restored: Restored) -> SnapshotWriter:
    policy = context.settings.snapshots
    metadata = restored.stream.metadata
    if metadata is None:
        return SnapshotWriter(context.stream, policy)
    return SnapshotWriter(
        context.stream,
        policy,
        next_slot=metadata["next_slot"],
        slot_chunks=metadata["slot_chunks"],
    )
