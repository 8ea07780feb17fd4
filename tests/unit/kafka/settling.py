"""The transactions of a process on a cluster in memory whose leaders may be away."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

import pytest

from processor.kafka import transactions_of_process
from processor.kafka.cluster import Cluster
from processor.kafka.transactions.requests import AddPartitions, End, InitProducerId, Request
from processor.kafka.transactions.responses import Response
from processor.kafka.transactions.round import GroupOffsets, Offset, Round
from processor.kafka.transactions.values import TopicPartition, TransactionVersion
from processor.kafka.transactions_of_process import KafkaTransactions
from processor.task.ports import Offsets, Partition
from tests.fakes.transactions import FakeBatch, FakeCluster

P0, P1, P2 = (TopicPartition("t", number) for number in range(3))
GROUP = "g"
INPUT = TopicPartition("in", 0)


class Kafka:
    """A `Cluster` of a process, as far as its transactions need one, and what they ask it for.

    Attributes:
        away: partitions that are without a leader: the coordinator writes no marker there.
        doubts: grows when a test says that a leader was away.
        refuses: what is answered, without an effect, to some kinds of request.
        stalls: a kind of request that has its effect and is never answered.
    """

    def __init__(self) -> None:
        self.brokers = FakeCluster()
        self.away: set[TopicPartition] = set()
        self.doubts = 0
        self.asked: list[Request] = []
        self.waited_for: list[set[Partition]] = []
        self.offsets_asked: list[set[Partition]] = []
        self.doubts_while_waiting = 0
        self.refuses: dict[type[Request], Response] = {}
        self.stalls: type[Request] | None = None
        self.stalled = asyncio.Event()
        self.client = None

    async def ask(self, request: Request) -> Response:
        """Part of `TransactionRequests`: have the effect, write the markers, and answer."""
        self.asked.append(request)
        if type(request) in self.refuses:
            return self.refuses[type(request)]
        response = self.brokers.handle(request)
        if isinstance(request, End | InitProducerId):
            for where in self.away:
                self.brokers.lose_marker(where)
            while self.brokers.write_marker():
                pass
        if type(request) is self.stalls:
            self.stalled.set()
            await asyncio.Event().wait()
        return response

    async def find_leaders(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        """Part of `Cluster`."""
        return {where: self.brokers.leaders[where] for where in partitions}

    async def wait_for_leaders(self, partitions: Collection[Partition]) -> None:
        """Part of `Cluster`."""
        self.waited_for.append(set(partitions))
        if self.doubts_while_waiting:
            self.doubts_while_waiting -= 1
            self.doubts += 1

    async def offsets(self, partitions: Sequence[Partition]) -> dict[Partition, Offsets]:
        """Part of `Cluster`."""
        self.offsets_asked.append(set(partitions))
        found = {where: self.brokers.ends(TopicPartition(*where)) for where in partitions}
        return {where: Offsets(0, *ends) for where, ends in found.items()}

    def transactions(
        self, version: TransactionVersion, *, group_id: str | None = GROUP, timeout_ms: int = 5_000
    ) -> KafkaTransactions:
        """The transactions of one more process under the same id."""
        return KafkaTransactions(
            cast("Cluster", self), "app", version, group_id=group_id, timeout_ms=timeout_ms
        )

    @property
    def settled(self) -> list[set[TopicPartition]]:
        """The partitions of each settlement: it adds them with version 1, and writes nothing."""
        return [set(one.partitions) for one in self.asked if isinstance(one, AddPartitions)]


def scripted(monkeypatch: pytest.MonkeyPatch) -> Kafka:
    """A cluster that the transactions of processes ask instead of a real one."""
    found = Kafka()

    def requests(*_: Any, **__: Any) -> Kafka:
        return found

    monkeypatch.setattr(transactions_of_process, "TransactionRequests", requests)
    return found


def work(*names: str, at: TopicPartition = P0, offset: int | None = None) -> Round:
    """A round of some batches for a partition, and maybe an offset."""
    batches = {at: [FakeBatch(name) for name in names]} if names else {}
    if offset is None:
        return Round(batches)
    return Round(batches, GroupOffsets(GROUP, "member", 1, None, {INPUT: Offset(offset)}))


def refused_work(*names: str, at: TopicPartition = P0) -> Round:
    """A round whose offsets the group does not take."""
    stale = GroupOffsets(GROUP, "member", 0, None, {INPUT: Offset(99)})
    return Round({at: [FakeBatch(name) for name in names]}, stale)
