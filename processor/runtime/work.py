"""What a task does with the records that it read: decide, apply, write what follows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from processor.core.records import answer_records, live_records
from processor.core.stream import Input, OrderStream
from processor.runtime.context import TaskContext
from processor.runtime.inputs import read_inputs
from processor.runtime.ports import InputRecord, OutputRecord, StreamWriter
from schemas.dead_letter import dead_letter
from schemas.event import Refusal


class Work(Protocol):
    """Stands between a loop that knows no orders and a core that knows no Kafka."""

    def apply(self, fetched: Mapping[str, Sequence[InputRecord]]) -> int:
        """Apply records, by topic, and write what follows from them.

        Returns:
            The bytes written.
        """


class Events:
    """Reads records of ``orders.events``, and writes a dead letter for each that is no event."""

    def __init__(self, context: TaskContext, writer: StreamWriter) -> None:
        self._context = context
        self._writer = writer
        self._letters: list[OutputRecord] = []

    def inputs(self, records: Sequence[InputRecord]) -> Iterator[Input]:
        """The records as inputs of the core, each read when it is asked for."""
        return read_inputs(records, self._context.settings.max_event_bytes, self._refuse)

    def write_letters(self) -> int:
        """Write the dead letters of all inputs that were asked for; the bytes written."""
        letters, self._letters = self._letters, []
        return self._writer.write(self._context.plan.topics.dead_letters, letters)

    def _refuse(self, record: InputRecord, refusal: Refusal) -> None:
        letter = dead_letter(
            refusal,
            key=record.key,
            value=record.value,
            headers=record.headers,
            topic=self._context.plan.topics.events,
            partition=self._context.stream,
            offset=record.offset,
            max_bytes=self._context.settings.max_dead_letter_bytes,
        )
        self._letters.append((letter.key, letter.value, letter.headers))


class EventWork:
    """A `Work` without a directory: events, and nothing else."""

    def __init__(self, context: TaskContext, writer: StreamWriter, orders: OrderStream) -> None:
        self._stream = context.stream
        self._topics = context.plan.topics
        self._writer = writer
        self._orders = orders
        self._events = Events(context, writer)

    def apply(self, fetched: Mapping[str, Sequence[InputRecord]]) -> int:
        """Part of `Work`."""
        records = fetched.get(self._topics.events, ())
        decisions, changes = self._orders.step(self._events.inputs(records))
        return (
            self._writer.write(self._topics.results, answer_records(self._stream, decisions))
            + self._writer.write(self._topics.live, live_records(self._stream, changes))
            + self._events.write_letters()
        )
