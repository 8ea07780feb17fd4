"""What a task does with the records that it read: decide, apply, write what follows."""

from collections.abc import Iterator, Mapping, Sequence

from processor.core.indexed_stream import IndexedStream
from processor.runtime.applier import Applier, IndexedApplier, PlainApplier
from processor.runtime.context import TaskContext
from processor.runtime.intake import AsTheyCome, ByTime, Intake
from processor.runtime.ports import InputReader, InputRecord, StreamWriter
from processor.runtime.restore import Restored
from processor.runtime.shard_work import ShardWork
from schemas.commit import CommitNotes


class Work:
    """Stands between a loop that knows no orders and a core that knows no Kafka."""

    def __init__(
        self,
        context: TaskContext,
        writer: StreamWriter,
        reader: InputReader,
        restored: Restored,
    ) -> None:
        self._topics = context.plan.topics
        self._writer = writer
        self._progress = restored.progress
        self._applier = _applier(context, writer, restored)
        self._intake = _intake(context, writer, reader, restored, self._applier)
        self._shard: ShardWork | None = None
        if restored.directory is not None:
            self._shard = ShardWork(context, writer, reader, restored.directory)

    async def is_due(self) -> bool:
        """Whether there may be something to do although nothing was read.

        Raises:
            FootingLost: the broker failed us.
        """
        shard = self._shard is not None and await self._shard.is_due()
        return await self._intake.is_due() or shard

    def apply(self, fetched: Mapping[str, Sequence[InputRecord]]) -> int:
        """Apply records, by topic, and write what follows from them.

        Returns:
            The bytes written.
        """
        written = 0
        for topic, records in fetched.items():
            if self._shard is not None and topic == self._topics.claims:
                written += self._shard.take(records)
            else:
                written += self._intake.take(topic, records)
        return written

    def apply_due(self) -> int:
        """Do what is due without a record, once all that was read is applied.

        Returns:
            The bytes written.
        """
        written = self._intake.take_due()
        return written if self._shard is None else written + self._shard.take_due()

    def claim_all(self, after: int) -> Iterator[int]:
        """Tell the directory of all live orders, a transaction's worth each time.

        Args:
            after: the ``placed_seq`` of the last order that it knows already.

        Returns:
            That of the last order that it knows then, each time.
        """
        assert isinstance(self._applier, IndexedApplier), "there is a directory"
        return self._applier.claim_all(after)

    def finish(self) -> dict[str, int]:
        """The last thing in a transaction.

        Returns:
            The offsets to commit, by topic.
        """
        offsets = dict(self._intake.finish())
        if self._shard is not None:
            offsets[self._topics.claims] = self._shard.position
        self._writer.write(self._topics.progress, self._progress.records())
        return offsets

    def notes(self) -> CommitNotes:
        """What the commit metadata must have besides the stream's own, after `finish`."""
        notes = self._progress.notes()
        mark = self._intake.mark()
        if mark is not None:
            notes["reorder"] = mark
        if self._shard is not None:
            notes["directory"] = self._shard.extents()
        return notes


def _applier(context: TaskContext, writer: StreamWriter, restored: Restored) -> Applier:
    seen = restored.progress.seen
    orders = restored.stream.orders
    if isinstance(orders, IndexedStream):
        return IndexedApplier(context, writer, orders, seen)
    return PlainApplier(context, writer, orders, seen)


def _intake(
    context: TaskContext,
    writer: StreamWriter,
    reader: InputReader,
    restored: Restored,
    applier: Applier,
) -> Intake:
    order = restored.progress.order
    if order is None:
        return AsTheyCome(context, writer, reader, applier)
    return ByTime(context, writer, reader, applier, order)
