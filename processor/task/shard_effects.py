"""A task's work for its shard of the directory."""

from collections.abc import Sequence

from processor.core.directory.claim_records import read_claims
from processor.core.directory.directory import DirectoryStep, OrderDirectory
from processor.core.directory.directory_records import directory_records
from processor.core.directory.messages import Revoke, RoutedCommand, ToShard
from processor.core.directory.routed_records import routed_records
from processor.core.orders.records import answer_records
from processor.task.context import TaskContext
from processor.task.input_positions import InputPositions
from processor.task.ports import Partition
from processor.task.queue_records import read_queue
from processor.task.restore.shard import extents_of
from processor.task.slice_writer import SliceWriter
from processor.task.stream_effects import send
from processor.wire.position import DirectoryExtents
from processor.wire.record import InputRecord


class ShardEffects:
    """Tells the shard what streams say; what follows waits for `write`."""

    def __init__(
        self,
        context: TaskContext,
        writer: SliceWriter,
        positions: InputPositions,
        directory: OrderDirectory,
    ) -> None:
        self._topics = context.identity.topics
        self._claims = Partition(self._topics.claims, context.stream)
        self._broker = context.broker
        self._clock = context.clock
        self._shortcuts = context.shortcuts
        self._writer = writer
        self._positions = positions
        self._directory = directory
        self._output = DirectoryStep([], [], [])
        self._queued: list[RoutedCommand | Revoke] = []

    async def is_due(self) -> bool:
        """Whether a parked command's time may be over.

        Raises:
            TaskLost: the broker failed us.
        """
        now_us = self._clock.now_us()
        if self._directory.is_overdue(now_us):
            ends = await self._broker.offsets([self._claims])
            self._directory.note_end(now_us, ends[self._claims].end)
        return self._directory.is_due(self._position)

    def take(self, records: Sequence[InputRecord]) -> None:
        """Take records of ``orders.claims``."""
        now_us = self._clock.now_us()
        for message in read_queue(str(self._claims), records, read_claims):
            self._directory.take(message, now_us, self._output)
        self._route()

    def tell(self, message: ToShard) -> None:
        """Take a message of a stream of this process."""
        now_us = self._clock.now_us() if message[0] == "command" else 0
        self._directory.take(message, now_us, self._output)
        if self._output.messages:
            self._route()

    def take_due(self) -> None:
        """Answer parked commands, once all that was read is taken."""
        changes, messages, answers = self._directory.expire(self._position)
        self._output.changes.extend(changes)
        self._output.messages.extend(messages)
        self._output.answers.extend(answers)
        self._route()

    def owner_of(self, order_id: str) -> tuple[int, int] | None:
        """The stream and ``placed_seq`` of the order that owns an id."""
        return self._directory.owner(order_id)

    def extents(self) -> DirectoryExtents:
        """The shard's extents, for the position."""
        return extents_of(self._directory)

    def write(self) -> None:
        """Write what follows from all that was told in this slice."""
        changes, _, answers = self._output
        queued, self._queued = self._queued, []
        self._output = DirectoryStep([], [], [])
        self._writer.write(self._topics.directory, directory_records(changes))
        self._writer.write(self._topics.results, answer_records(answers))
        send(self._writer, self._topics.routed, routed_records(queued))

    @property
    def _position(self) -> int:
        return self._positions[self._topics.claims]

    def _route(self) -> None:
        """Tell streams of this process directly; the rest goes through their queues."""
        messages = self._output.messages
        queued = [one for one in messages if not self._shortcuts.to_stream(one)]
        messages.clear()
        self._queued.extend(queued)
