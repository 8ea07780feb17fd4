"""Applying events to a stream, and writing what follows."""

from collections.abc import Iterable, Sequence

from processor.core.directory.claim_records import claim_records
from processor.core.directory.forwarding import ByPartition
from processor.core.directory.indexed_stream import IndexedStream, StreamOutput
from processor.core.directory.messages import Answer, ToStream
from processor.core.directory.routed_records import routed_records
from processor.core.event_time.seen_ids import SeenIds
from processor.core.orders.records import answer_records, live_records
from processor.core.orders.stream import Input
from processor.task.context import TaskContext
from processor.task.slice_writer import SliceWriter
from processor.wire.event import Refusal
from processor.wire.record import EventRecord


class StreamEffects:
    """Applies what a task read to its stream; answers, changes and messages wait for `write`."""

    def __init__(
        self,
        context: TaskContext,
        writer: SliceWriter,
        orders: IndexedStream,
        seen: SeenIds | None,
    ) -> None:
        self._stream = context.stream
        self._num_streams = context.identity.num_streams
        self._topics = context.identity.topics
        self._shortcuts = context.shortcuts
        self._writer = writer
        self._orders = orders
        self._seen = seen
        self._output = StreamOutput()

    def take_events(self, inputs: Iterable[Input], records: Sequence[EventRecord]) -> None:
        """Apply events of ``orders.events``, with the records they were read from."""
        read = list(inputs)
        self._shortcuts.expect(_order_ids(read))
        self._orders.take(read, records, self._seen, self._output)

    def take_routed(self, messages: Iterable[ToStream]) -> None:
        """Apply what others sent to the stream."""
        self._orders.take_routed(messages, self._seen, self._output)

    def answer(self, answers: Iterable[Answer]) -> None:
        """Give final answers to events that others read."""
        self._output.answers.extend(answers)

    def write(self) -> None:
        """Write what follows from all that was applied in this slice."""
        output, self._output = self._output, StreamOutput()
        self._writer.write(self._topics.results, answer_records(output.answers))
        self._writer.write(self._topics.live, live_records(self._stream, output.changes))
        send(self._writer, self._topics.claims, claim_records(output.to_shards, self._num_streams))
        send(self._writer, self._topics.routed, routed_records(output.to_streams))


def _order_ids(inputs: Iterable[Input]) -> list[str]:
    """The ids that events name, whose shards may be asked or told."""
    return [
        event["order_id"]
        for _, _, event in inputs
        if type(event) is not Refusal and event["type"] != "cancel_all_by_user"
    ]


def send(writer: SliceWriter, topic: str, records: ByPartition) -> None:
    """Write records to their partitions of a queue."""
    for partition, some in records.items():
        writer.write(topic, some, partition)
