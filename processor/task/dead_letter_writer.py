"""The dead letters of a task's transaction."""

from processor.core.event_time.released import RefusedEvent
from processor.task.context import TaskContext
from processor.task.slice_writer import SliceWriter
from processor.wire.dead_letter import dead_letter
from processor.wire.event import Refusal
from processor.wire.record import InputRecord, Record


class DeadLetters:
    """Collects dead letters, and writes them when it is told to."""

    def __init__(self, context: TaskContext, writer: SliceWriter) -> None:
        self._stream = context.stream
        self._topics = context.identity.topics
        self._max_bytes = context.settings.max_dead_letter_bytes
        self._writer = writer
        self._letters: list[Record] = []

    def refuse(self, record: InputRecord, refusal: Refusal) -> None:
        """One for a record of the task's own partition of ``orders.events``."""
        where = self._stream, record.offset
        self.add(RefusedEvent(refusal, *where, record.key, record.value, record.headers))

    def add(self, refused: RefusedEvent) -> None:
        """One for an event that may have been read elsewhere."""
        letter = dead_letter(
            refused.refusal,
            key=refused.key,
            value=refused.value,
            headers=refused.headers,
            topic=self._topics.events,
            partition=refused.partition,
            offset=refused.offset,
            max_bytes=self._max_bytes,
        )
        self._letters.append((letter.key, letter.value, letter.headers))

    def write(self) -> None:
        """Write what was collected."""
        letters, self._letters = self._letters, []
        self._writer.write(self._topics.dead_letters, letters)
