"""Taking events to a stream, and writing what follows."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol

from processor.core.claim_records import claim_records
from processor.core.forwarding import ByPartition
from processor.core.indexed_stream import IndexedStream
from processor.core.messages import Answer, EventRecord, ToShard, ToStream
from processor.core.records import answer_records, final_answer_records, live_records
from processor.core.routed_records import routed_records
from processor.core.seen_ids import SeenIds
from processor.core.stream import Input, OrderStream
from processor.errors import BrokenInvariant
from processor.runtime.context import TaskContext
from processor.runtime.ports import StreamWriter

# Claims of one transaction when the directory is turned on: some 30 ms.
_CLAIMS = 5000


class Applier(Protocol):
    """Applies what a task read to its stream. All methods return the bytes that they wrote."""

    def take_events(self, inputs: Iterable[Input], records: Sequence[EventRecord]) -> int:
        """Apply events of ``orders.events``, with their records if there is a directory."""

    def take_routed(self, messages: Iterable[ToStream]) -> int:
        """Apply what others sent to the stream."""

    def answer(self, answers: Iterable[Answer]) -> int:
        """Give final answers to events that others read."""


class PlainApplier:
    """An `Applier` for a stream without a directory."""

    def __init__(
        self,
        context: TaskContext,
        writer: StreamWriter,
        orders: OrderStream,
        seen: SeenIds | None,
    ) -> None:
        self._stream = context.stream
        self._topics = context.plan.topics
        self._writer = writer
        self._orders = orders
        self._seen = seen

    def take_events(self, inputs: Iterable[Input], records: Sequence[EventRecord]) -> int:
        """Part of `Applier`."""
        decisions, changes = self._orders.step(inputs, self._seen)
        return self._writer.write(
            self._topics.results, answer_records(self._stream, decisions)
        ) + self._writer.write(self._topics.live, live_records(self._stream, changes))

    def take_routed(self, messages: Iterable[ToStream]) -> int:
        """Part of `Applier`."""
        raise BrokenInvariant(f"stream {self._stream}: something was routed without a directory")

    def answer(self, answers: Iterable[Answer]) -> int:
        """Part of `Applier`."""
        return self._writer.write(self._topics.results, final_answer_records(answers))


class IndexedApplier:
    """An `Applier` for a stream that the directory hears of."""

    def __init__(
        self,
        context: TaskContext,
        writer: StreamWriter,
        orders: IndexedStream,
        seen: SeenIds | None,
    ) -> None:
        self._stream = context.stream
        self._num_streams = context.plan.num_streams
        self._topics = context.plan.topics
        self._writer = writer
        self._orders = orders
        self._seen = seen

    def take_events(self, inputs: Iterable[Input], records: Sequence[EventRecord]) -> int:
        """Part of `Applier`."""
        step = self._orders.take(inputs, records, self._seen)
        return (
            self._writer.write(self._topics.results, answer_records(self._stream, step.outcomes))
            + self._writer.write(self._topics.live, live_records(self._stream, step.changes))
            + self._claim(step.to_shards)
            + send(self._writer, self._topics.routed, routed_records(step.to_streams))
        )

    def take_routed(self, messages: Iterable[ToStream]) -> int:
        """Part of `Applier`."""
        step = self._orders.take_routed(messages, self._seen)
        return (
            self._writer.write(self._topics.results, final_answer_records(step.answers))
            + self._writer.write(self._topics.live, live_records(self._stream, step.changes))
            + self._claim(step.to_shards)
        )

    def answer(self, answers: Iterable[Answer]) -> int:
        """Part of `Applier`."""
        return self._writer.write(self._topics.results, final_answer_records(answers))

    def claim_all(self, after: int) -> Iterator[int]:
        """Tell the directory of all live orders, as `Work.claim_all` does."""
        claims = self._orders.claim_all(after)
        while some := list(islice(claims, _CLAIMS)):
            self._claim(some)
            yield some[-1][4]

    def _claim(self, messages: Sequence[ToShard]) -> int:
        records = claim_records(messages, self._num_streams)
        return send(self._writer, self._topics.claims, records)


def send(writer: StreamWriter, topic: str, records: ByPartition) -> int:
    """Write records to their partitions of a queue; the bytes written."""
    return sum(writer.write(topic, some, partition) for partition, some in records.items())
