"""The running part of a task's life: batch after batch, each in one transaction."""

import asyncio
from collections.abc import Sequence

from processor.core.records import NO_HEADERS, answer_records, live_records
from processor.core.snapshot import SnapshotWriter
from processor.runtime.context import TaskContext
from processor.runtime.inputs import read_inputs
from processor.runtime.ports import (
    InputRecord,
    OutputRecord,
    PartitionReader,
    StreamWriter,
)
from processor.runtime.restore import Restored
from schemas.commit import dump_commit
from schemas.dead_letter import dead_letter
from schemas.event import Refusal

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
        reader: PartitionReader,
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
        records = await self._reader.fetch(
            max_records=min(_SLICE_EVENTS, self._settings.max_batch_events),
            timeout_ms=0 if self._snapshots.writing else _IDLE_TIMEOUT_MS,
        )
        if records or self._has_idle_work():
            async with self._gate.turn():
                await self._transact(records)

    def _has_idle_work(self) -> bool:
        now_ms = self._clock.monotonic_ms()
        return (
            self._snapshots.writing
            or self._snapshots.due(self._orders, now_ms)
            or now_ms - self._last_commit_ms >= self._settings.offset_refresh_interval_ms
        )

    async def _transact(self, records: Sequence[InputRecord]) -> None:
        await self._writer.begin()
        snapshot_ns = self._write_snapshot_slice()
        events = await self._apply_batch(records)
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

    async def _apply_batch(self, records: Sequence[InputRecord]) -> int:
        """Apply records until the batch is complete: idle, long enough, or full."""
        deadline_ms = self._clock.monotonic_ms() + self._settings.commit_interval_ms
        events = 0
        while records:
            self._apply(records)
            events += len(records)
            left_ms = deadline_ms - self._clock.monotonic_ms()
            room = self._settings.max_batch_events - events
            if left_ms <= 0 or room <= 0 or self._gate.waiting or self._reader.lag == 0:
                break
            # A fetch that finds records does not yield: let the other tasks in.
            await asyncio.sleep(0)
            records = await self._reader.fetch(
                max_records=min(room, _SLICE_EVENTS), timeout_ms=min(left_ms, _MORE_TIMEOUT_MS)
            )
        return events

    def _apply(self, records: Sequence[InputRecord]) -> None:
        stream, topics = self._stream, self._topics
        letters: list[OutputRecord] = []

        def on_refused(record: InputRecord, refusal: Refusal) -> None:
            letters.append(self._dead_letter(record, refusal))

        decisions, changes = self._orders.step(
            read_inputs(records, self._settings.max_event_bytes, on_refused)
        )
        written_bytes = (
            self._writer.write(topics.results, answer_records(stream, decisions))
            + self._writer.write(topics.live, live_records(stream, changes))
            + self._writer.write(topics.dead_letters, letters)
        )
        self._snapshots.count_other_bytes(written_bytes)

    def _dead_letter(self, record: InputRecord, refusal: Refusal) -> OutputRecord:
        letter = dead_letter(
            refusal,
            key=record.key,
            value=record.value,
            headers=record.headers,
            topic=self._topics.events,
            partition=self._stream,
            offset=record.offset,
            max_bytes=self._settings.max_dead_letter_bytes,
        )
        return letter.key, letter.value, letter.headers

    async def _commit(self) -> None:
        """Commit the offset up to which everything is applied, with all that was written."""
        next_offset = max(self._reader.position, self.next_offset)
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
