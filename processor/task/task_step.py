"""A task's work on the records that it read: decide, apply, write what follows."""

from collections.abc import Mapping, Sequence

from processor.core.directory.messages import ToShard, ToStream
from processor.task.context import TaskContext
from processor.task.input_order import ArrivalOrder, EventTimeOrder, InputOrder
from processor.task.input_positions import InputPositions
from processor.task.restore.restore import Restored
from processor.task.shard_effects import ShardEffects
from processor.task.slice_writer import SliceWriter
from processor.task.stream_effects import StreamEffects
from processor.wire.position import DirectoryExtents, ReorderMark
from processor.wire.record import InputRecord


class TaskStep:
    """Stands between a loop that knows no orders and a core that knows no Kafka."""

    def __init__(
        self,
        context: TaskContext,
        writer: SliceWriter,
        positions: InputPositions,
        restored: Restored,
    ) -> None:
        self._topics = context.identity.topics
        self._positions = positions
        self._shortcuts = context.shortcuts
        self._effects = StreamEffects(context, writer, restored.orders, restored.progress.seen)
        self._input_order = _input_order(context, writer, positions, restored, self._effects)
        self._shard = ShardEffects(context, writer, positions, restored.directory)

    async def is_due(self) -> bool:
        """Whether there may be something to do although nothing was read.

        Raises:
            TaskLost: the broker failed us.
        """
        shard = await self._shard.is_due()
        return await self._input_order.is_due() or shard

    def apply(self, fetched: Mapping[str, Sequence[InputRecord]]) -> None:
        """Apply records, by topic: those of the queues first, so that events may skip them."""
        topics = self._topics
        for topic in (topics.claims, topics.routed, topics.events):
            records = fetched.get(topic)
            if not records:
                continue
            if topic == topics.claims:
                self._shard.take(records)
            else:
                self._input_order.take(topic, records)
            self._positions.advance(topic)
            self._shortcuts.deliver()

    def apply_due(self) -> None:
        """Do what is due without a record, once all that was read is applied."""
        self._input_order.take_due()
        self._shard.take_due()
        self._shortcuts.deliver()

    def take_claim(self, message: ToShard) -> None:
        """Tell the shard what a stream of this process says."""
        self._shard.tell(message)

    def take_message(self, message: ToStream) -> None:
        """Tell the stream what a task of this process says."""
        self._effects.take_routed((message,))

    def owner_of(self, order_id: str) -> tuple[int, int] | None:
        """The owner of an id, as the shard knows it."""
        return self._shard.owner_of(order_id)

    def finish(self) -> dict[str, int]:
        """Write what follows from the slice.

        Returns:
            The next offset of each input topic up to which all is finished.
        """
        self._effects.write()
        self._shard.write()
        offsets = self._input_order.finish()
        return {**offsets, self._topics.claims: self._positions[self._topics.claims]}

    def mark(self) -> ReorderMark | None:
        """How far events are put in order, after `finish`; None if they are not."""
        return self._input_order.mark()

    def extents(self) -> DirectoryExtents:
        """The shard's extents."""
        return self._shard.extents()


def _input_order(
    context: TaskContext,
    writer: SliceWriter,
    positions: InputPositions,
    restored: Restored,
    effects: StreamEffects,
) -> InputOrder:
    order = restored.progress.order
    if order is None:
        return ArrivalOrder(context, writer, positions, effects)
    return EventTimeOrder(context, writer, positions, effects, order)
