"""Writing the batches of a round to all leaders at once."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from processor.kafka.transactions.error_codes import ErrorCode
from processor.kafka.transactions.errors import Judgement, Remedy
from processor.kafka.transactions.lane import Lane
from processor.kafka.transactions.leaders import Leaders
from processor.kafka.transactions.requests import Produce, ProducedBatch
from processor.kafka.transactions.responses import Produced, Written
from processor.kafka.transactions.round import Batch
from processor.kafka.transactions.sequences import Sequences
from processor.kafka.transactions.values import TopicPartition

_NO_ANSWER = Written(ErrorCode.UNKNOWN_SERVER_ERROR)


@dataclass(frozen=True, slots=True)
class Shipment:
    """The batches of one request."""

    request_id: int
    node: int
    batches: tuple[ProducedBatch, ...]


class Producing:
    """The batches of one round.

    A leader has one request at a time, and a request one batch of each partition. So the batches
    of a partition arrive in their order, whatever is lost.
    """

    def __init__(
        self,
        batches: Mapping[TopicPartition, Sequence[Batch]],
        sequences: Sequences,
        leaders: Leaders,
        now_ms: float,
        *,
        request_bytes: int,
    ) -> None:
        self._lanes: dict[TopicPartition, Lane] = {}
        self._sequences = sequences
        self.add(batches, now_ms)
        self._leaders = leaders
        self._request_bytes = request_bytes
        self._busy: dict[int, int] = {}
        """The id of the request that each leader has."""
        self._given_up = False

    def add(self, batches: Mapping[TopicPartition, Sequence[Batch]], now_ms: float) -> None:
        """Write these, too, after those of the same partition."""
        for where, some in batches.items():
            if some and where in self._lanes:
                self._lanes[where].add(some)
            elif some:
                self._lanes[where] = Lane(where, some, self._sequences, now_ms)

    @property
    def is_done(self) -> bool:
        """Whether nothing is on its way, and nothing is to be sent any more."""
        return not self._busy and (self._given_up or not self._open)

    @property
    def in_doubt(self) -> bool:
        """Whether a leader may have a batch without our knowing."""
        return any(lane.in_doubt for lane in self._lanes.values())

    @property
    def base_offsets(self) -> dict[TopicPartition, tuple[int, ...]]:
        """The offsets of the batches that leaders have."""
        return {where: tuple(lane.base_offsets) for where, lane in self._lanes.items()}

    def give_up(self) -> None:
        """Send nothing any more: the transaction will be aborted."""
        self._given_up = True

    @property
    def wanted(self) -> tuple[TopicPartition, ...]:
        """The partitions whose leaders are needed."""
        return () if self._given_up else tuple(lane.partition for lane in self._open)

    def take(self, ids: Iterator[int], now_ms: float) -> Iterator[Shipment]:
        """The requests to send now, one for each leader."""
        for node, lanes in self._by_leader(now_ms).items():
            request_id = self._busy[node] = next(ids)
            batches = tuple(lane.send() for lane in self._fitting(lanes))
            yield Shipment(request_id, node, batches)

    @property
    def next_time_ms(self) -> float:
        """When something is to be sent again."""
        times = (lane.due_ms for lane in self._open if self._free_leader(lane) is not None)
        return math.inf if self._given_up else min(times, default=math.inf)

    def receive(self, request: Produce, response: Produced, now_ms: float) -> list[Judgement]:
        """Take an answer, and say what it means for each partition.

        Returns:
            Nothing if the request is not waited for any more.
        """
        if not self._is_free_again(request):
            return []
        return [
            self._receive_one(sent, response.written.get(sent.partition, _NO_ANSWER), now_ms)
            for sent in request.batches
        ]

    def lose(self, request: Produce, now_ms: float, *, sent: bool) -> None:
        """Send the batches again, once it is known who leads their partitions."""
        if not self._is_free_again(request):
            return
        for batch in request.batches:
            self._lanes[batch.partition].lose(now_ms, sent=sent)
            self._leaders.forget(batch.partition)

    def missing(self, now_ms: float, limit_ms: float) -> TopicPartition | None:
        """A partition that its leader has not known for too long."""
        for lane in self._open:
            if lane.missing_for_ms(now_ms) > limit_ms:
                return lane.partition
        return None

    @property
    def _open(self) -> list[Lane]:
        return [lane for lane in self._lanes.values() if not lane.is_empty]

    def _is_free_again(self, request: Produce) -> bool:
        """Whether the leader was waited for, which it is not any more."""
        if self._busy.get(request.node) != request.id:
            return False
        del self._busy[request.node]
        return True

    def _free_leader(self, lane: Lane) -> int | None:
        node = self._leaders.node(lane.partition)
        return None if node in self._busy else node

    def _by_leader(self, now_ms: float) -> dict[int, list[Lane]]:
        found: dict[int, list[Lane]] = {}
        for lane in [] if self._given_up else self._open:
            node = self._free_leader(lane)
            if node is not None and lane.due_ms <= now_ms:
                found.setdefault(node, []).append(lane)
        return found

    def _fitting(self, lanes: Sequence[Lane]) -> Iterator[Lane]:
        """As many as fit a request, but at least one."""
        size_bytes = 0
        for lane in lanes:
            size_bytes += lane.size_bytes
            if size_bytes > self._request_bytes and size_bytes > lane.size_bytes:
                return
            yield lane

    def _receive_one(self, sent: ProducedBatch, written: Written, now_ms: float) -> Judgement:
        judgement = self._lanes[sent.partition].receive(written, now_ms)
        if judgement.remedy in (Remedy.MOVED, Remedy.MISSING):
            self._leaders.forget(sent.partition)
        return judgement
