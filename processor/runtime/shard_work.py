"""What a task does for its shard of the directory."""

from collections.abc import Sequence

from processor.core.claim_records import read_claims
from processor.core.directory import DirectoryStep, OrderDirectory
from processor.core.directory_records import directory_records
from processor.core.records import final_answer_records
from processor.core.routed_records import routed_records
from processor.runtime.applier import send
from processor.runtime.context import TaskContext
from processor.runtime.ports import InputReader, InputRecord, StreamWriter
from processor.runtime.queue_records import read_queue
from processor.runtime.restore_shard import extents_of
from schemas.commit import DirectoryExtents


class ShardWork:
    """Tells the shard what streams say, and streams and readers what follows."""

    def __init__(
        self,
        context: TaskContext,
        writer: StreamWriter,
        reader: InputReader,
        directory: OrderDirectory,
    ) -> None:
        self._stream = context.stream
        self._topics = context.plan.topics
        self._broker = context.broker
        self._clock = context.clock
        self._writer = writer
        self._reader = reader
        self._directory = directory

    async def is_due(self) -> bool:
        """Whether a parked command's time may be over.

        Raises:
            FootingLost: the broker failed us.
        """
        now_us = self._clock.now_us()
        if self._directory.is_overdue(now_us):
            end = await self._broker.end(self._topics.claims, self._stream)
            self._directory.note_end(now_us, end)
        return self._directory.is_due(self.position)

    def take(self, records: Sequence[InputRecord]) -> int:
        """Take records of ``orders.claims``; the bytes written."""
        said = read_queue(f"{self._topics.claims}/{self._stream}", records, read_claims)
        return self._tell(self._directory.step(said, self._clock.now_us()))

    def take_due(self) -> int:
        """Answer parked commands, once all that was read is taken; the bytes written."""
        return self._tell(self._directory.expire(self.position))

    @property
    def position(self) -> int:
        """The next offset of ``orders.claims``."""
        return self._reader.position(self._topics.claims)

    def extents(self) -> DirectoryExtents:
        """What the shard holds, for the commit metadata."""
        return extents_of(self._directory)

    def _tell(self, step: DirectoryStep) -> int:
        return (
            self._writer.write(self._topics.directory, directory_records(step.changes))
            + self._writer.write(self._topics.results, final_answer_records(step.answers))
            + send(self._writer, self._topics.routed, routed_records(step.messages))
        )
