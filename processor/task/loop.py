"""The running part of a task's life: slice after slice into the rounds of the process."""

from collections.abc import Mapping, Sequence

from processor.core.directory.messages import ToShard, ToStream
from processor.core.orders.snapshot import SnapshotWriter
from processor.errors import TaskLost
from processor.task.context import TaskContext
from processor.task.handover import require_untouched
from processor.task.input_positions import InputPositions
from processor.task.ports import InputReader, Membership, Partition
from processor.task.purge import QueuePurge
from processor.task.restore.restore import Restored
from processor.task.slice_writer import SliceWriter
from processor.task.slices import Committed, Sealed
from processor.task.task_step import TaskStep
from processor.wire.position import Position, dump_position
from processor.wire.record import NO_HEADERS, InputRecord
from processor.wire.version import SCHEMA

Fetched = Mapping[str, Sequence[InputRecord]]

# One fetch's records are applied in one go: some 10 ms, after which others get their turn.
_SLICE_EVENTS = 250
# How long an idle task sleeps in a fetch: it looks for snapshots that are due, and for its gate.
_IDLE_TIMEOUT_MS = 100
# The same with a snapshot on its way out, which has one slice in a round, or queues to drain.
_SHORT_TIMEOUT_MS = 2


class StreamLoop:
    """Reads, applies and writes for one stream; a `Participant` of the committer's rounds."""

    def __init__(
        self,
        context: TaskContext,
        reader: InputReader,
        restored: Restored,
        membership: Membership | None,
    ) -> None:
        """``membership`` is the one that the stream was taken over in."""
        self.stream = context.stream
        self.failure: TaskLost | None = None
        self.next_offset = restored.offsets[context.identity.topics.events]
        self._context = context
        self._topics = context.identity.topics
        self._committer = context.committer
        self._gate = context.gate
        self._clock = context.clock
        self._writer = SliceWriter(context.committer, context.stream)
        self._reader = reader
        self._orders = restored.orders
        self._progress = restored.progress
        self._positions = InputPositions(reader, restored.offsets)
        self._step = TaskStep(context, self._writer, self._positions, restored)
        self._shortcuts = context.shortcuts
        self._purge = QueuePurge(context.broker, context.stream, context.clock)
        self._live = Partition(self._topics.live, context.stream)
        self._live_end = restored.live_end
        self._snapshots = _snapshot_writer(context, restored)
        self._snapshot_ns = 0
        self._membership = membership
        self._written = restored.position_value

    async def take_over(self) -> None:
        """Commit the position with our name on it, before any input is applied.

        Raises:
            TaskLost: it was not committed, or another process has had the stream meanwhile.
        """
        async with self._gate.turn():
            await self._require_ours()
            await self._committer.room(self)
            with self._committer.slice(self):
                self._shortcuts.begin_slice()
        await self._committer.settled(self)
        await self._enter()

    async def once(self) -> None:
        """Wait for records for a while, and apply what there is to do.

        Raises:
            TaskLost: a round was not committed, or the broker failed us.
        """
        fetched = await self._fetch()
        self._positions.advance_without(fetched)
        has_work = await self._step.is_due() or fetched or self._has_snapshot_work()
        if has_work or self._membership != self._committer.membership:
            async with self._gate.turn():
                if await self._require_ours():
                    await self._enter()
                if has_work:
                    async with self._committer.turn():
                        await self._committer.room(self)
                        self._apply(fetched)
        elif self.failure is not None:
            raise self.failure
        self._purge.go_on()
        # A fetch that finds records may not wait: let the other tasks in.
        await self._clock.sleep(0)

    async def _fetch(self) -> Fetched:
        """The next records to apply; none of events while the process drains its queues."""
        is_draining = self._shortcuts.is_draining
        is_waiting = is_draining or self._snapshots.writing
        return await self._reader.fetch(
            max_records=_SLICE_EVENTS,
            timeout_ms=_SHORT_TIMEOUT_MS if is_waiting else _IDLE_TIMEOUT_MS,
            topics=self._topics.queues if is_draining else None,
        )

    async def finish(self) -> None:
        """Wait until everything is committed.

        Raises:
            TaskLost: it was not.
        """
        self._shortcuts.leave(self.stream, self)
        await self._committer.settled(self)

    async def close(self) -> None:
        """End what goes on beside the slices. Never raises."""
        self._shortcuts.leave(self.stream, self)
        await self._purge.close()

    # Part of `Neighbour`

    @property
    def is_alive(self) -> bool:
        """Whether the task may write."""
        return self.failure is None

    @property
    def holds_events(self) -> bool:
        """Whether it puts events in order by their time."""
        return self._progress.order is not None

    def applied(self, topic: str) -> int:
        """The next offset of a topic that the task has not applied."""
        return self._positions[topic]

    def owner_of(self, order_id: str) -> tuple[int, int] | None:
        """The owner of an id, as the task's shard knows it."""
        return self._step.owner_of(order_id)

    def take_claim(self, message: ToShard) -> None:
        """Tell the shard what a stream of this process says."""
        self._committer.filling.touch(self)
        self._step.take_claim(message)

    def take_message(self, message: ToStream) -> None:
        """Tell the stream what a task of this process says."""
        self._committer.filling.touch(self)
        self._step.take_message(message)

    # Part of `Participant`

    def seal(self) -> Sealed:
        """Write what the slice finished, and say where the stream stands."""
        offsets = self._step.finish()
        self._writer.write(self._topics.progress, self._progress.records())
        self.next_offset = offsets[self._topics.events]
        self._written = dump_position(self._position(offsets))
        return Sealed(self._written, offsets)

    def committed(self, committed: Committed) -> None:
        """A round with slices of this task was committed."""
        self._live_end = max(self._live_end, committed.ends.get(self._live, 0))
        queues = {topic: committed.sealed.offsets[topic] for topic in self._topics.queues}
        self._purge.note(queues)
        snapshot_ns, self._snapshot_ns = self._snapshot_ns, 0
        self._context.observer.on_commit(
            self.stream, committed.events, snapshot_ns, committed.commit_ns
        )

    def lost(self, error: TaskLost) -> None:
        """A round with slices of this task was not committed."""
        self.failure = self.failure or error

    # Slices

    async def _require_ours(self) -> bool:
        """After a rebalance, go on only if nobody else has touched the stream meanwhile.

        Returns:
            Whether there was one.
        """
        membership = self._committer.membership
        if membership == self._membership:
            return False
        await require_untouched(self._context, self._written)
        self._membership = membership
        return True

    async def _enter(self) -> None:
        """Let the other streams of the process tell this one directly, once that is safe."""
        queues = [Partition(topic, self.stream) for topic in self._topics.queues]
        found = await self._context.broker.offsets(queues)
        if self._committer.membership == self._membership and not self._gate.waiting:
            self._shortcuts.enter(self.stream, self, {where: found[where].end for where in queues})

    def _has_snapshot_work(self) -> bool:
        if self._snapshots.writing:
            return not self._committer.has_written(self)
        return self._snapshots.due(self._orders, self._clock.monotonic_ms())

    def _apply(self, fetched: Fetched) -> None:
        events = sum(map(len, fetched.values()))
        with self._committer.slice(self, events) as filling:
            self._shortcuts.begin_slice()
            if self._has_snapshot_work():
                self._write_snapshot_slice()
            self._step.apply(fetched)
            self._step.apply_due()
        self._snapshots.count_other_bytes(filling.written_bytes)

    def _write_snapshot_slice(self) -> None:
        """Go on with a snapshot, or begin one that is due.

        Comes before the slice's events: the position is then the one of the slice before.
        """
        started_ns = self._clock.monotonic_ns()
        now_ms = started_ns // 1_000_000
        if self._snapshots.due(self._orders, now_ms):
            self._snapshots.begin(
                self._orders,
                snapshot_id=self._context.new_id(),
                as_of_offset=self.next_offset,
                live_offset=self._live_end,
                taken_at_us=self._clock.now_us(),
                now_ms=now_ms,
            )
        slices = self._snapshots.next_slice(now_ms)
        self._writer.write(
            self._topics.snapshots, [(key, value, NO_HEADERS) for key, value in slices]
        )
        self._snapshot_ns += self._clock.monotonic_ns() - started_ns

    def _position(self, offsets: Mapping[str, int]) -> Position:
        position: Position = {
            "schema": SCHEMA,
            "type": "position",
            "owner": self._committer.transactional_id,
            "events": offsets[self._topics.events],
            "routed": offsets[self._topics.routed],
            "claims": offsets[self._topics.claims],
            "seq": self._orders.seq,
            "live_orders": len(self._orders),
            "seq_sum": self._orders.seq_sum,
            "next_slot": self._snapshots.next_slot,
            "slot_chunks": self._snapshots.slot_chunks,
            "directory": self._step.extents(),
            "progress": self._progress.extents,
        }
        mark = self._step.mark()
        if mark is not None:
            position["reorder"] = mark
        if self._progress.seen is not None:
            position["finished_events"] = self._progress.seen.events
        return position


def _snapshot_writer(context: TaskContext, restored: Restored) -> SnapshotWriter:
    policy, position = context.settings.snapshots, restored.position
    if position is None:
        return SnapshotWriter(context.stream, policy)
    return SnapshotWriter(
        context.stream,
        policy,
        next_slot=position["next_slot"],
        slot_chunks=position["slot_chunks"],
    )
