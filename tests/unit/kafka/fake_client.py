"""A client over a broker that is in memory: logs, leaders, and faults by order."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

from aiokafka.errors import NodeNotReadyError

from processor.kafka.cluster_view import Leader
from processor.kafka.fetching.values import Fetch, Fetched, FetchedPartition
from processor.kafka.protocol.fetch import FetchRequest
from processor.kafka.protocol.list_offsets import (
    EARLIEST,
    READ_COMMITTED,
    ListOffsetsRequest,
    ListOffsetsResponseV5,
)
from processor.kafka.protocol.metadata import MetadataRequest, MetadataResponseV12
from tests.unit.kafka.model_log import ModelLog
from tests.unit.kafka.model_sessions import ModelSessions

Where = tuple[str, int]
Fault = Callable[[int, Any], Awaitable[Any]]


class FakeClient:
    """What the drivers use of `ClusterClient`; ``sent`` has all requests, with node and group."""

    def __init__(self, *topics: str, partitions: int = 2, nodes: tuple[int, ...] = (1,)) -> None:
        self.logs = {(name, n): ModelLog() for name in topics for n in range(partitions)}
        self.leaders = dict.fromkeys(self.logs, Leader(nodes[0], 5))
        self.ids = {name: name.encode().ljust(16, b"-") for name in topics}
        self.nodes = nodes
        self.down: set[int] = set()
        self.hung: set[int] = set()
        self.sent: list[tuple[int, Any, Any]] = []
        self.faults: list[Exception | int] = []
        self.on_stale: Callable[[], None] = lambda: None
        self.told_brokers: list[Any] = []
        self.cluster = SimpleNamespace(brokers=lambda: [SimpleNamespace(nodeId=n) for n in nodes])
        self.sessions = {node: ModelSessions() for node in nodes}
        self._news = asyncio.Event()

    def learn_brokers(self, brokers: Any, controller: int) -> None:
        self.told_brokers.append((brokers, controller))

    def happen(self) -> None:
        """Let long polls look again."""
        self._news.set()
        self._news = asyncio.Event()

    def write(self, topic: str, partition: int, count: int, producer: int = -1) -> None:
        self.logs[topic, partition].write(producer, count)
        self.happen()

    def end(self, topic: str, partition: int, producer: int, commit: bool) -> None:
        self.logs[topic, partition].end_transaction(producer, commit)
        self.happen()

    def fetches(self) -> list[Fetch]:
        return [one.request for _node, one, _group in self.sent if isinstance(one, FetchRequest)]

    async def send(self, node: int, request: Any, *, group: Any = 0) -> Any:
        self.sent.append((node, request, group))
        if node in self.down:
            raise NodeNotReadyError
        if node in self.hung:
            await asyncio.Event().wait()
        if isinstance(request, MetadataRequest):
            return self._metadata(request)
        if isinstance(request, ListOffsetsRequest):
            return self._listed(node, request)
        return SimpleNamespace(fetched=await self._fetched(node, request.request))

    async def _fetched(self, node: int, request: Fetch) -> Fetched:
        told = self.sessions[node].receive(request)
        while True:
            if self.faults:
                fault = self.faults.pop()
                if isinstance(fault, Exception):
                    raise fault
                return Fetched(fault, ())
            if told.error_code:
                return Fetched(told.error_code, ())
            found = [self._found(node, one) for one in told.partitions]
            if any(len(one.records) or one.error_code for one in found):
                return Fetched(0, told.left(found), told.session_id)
            await self._news.wait()

    def _found(self, node: int, asked: Any) -> FetchedPartition:
        leader = self.leaders[asked.topic, asked.partition]
        if leader != Leader(node, asked.leader_epoch):
            return FetchedPartition(asked.topic, asked.partition, 6, -1, -1)
        log = self.logs[asked.topic, asked.partition]
        if asked.fetch_offset > log.end:
            return FetchedPartition(asked.topic, asked.partition, 1, -1, -1)
        return log.fetch(asked.partition, asked.topic_id, asked.fetch_offset, asked.max_bytes)

    def _metadata(self, request: MetadataRequest) -> MetadataResponseV12:
        topics: list[Any] = [
            (
                0 if name in self.ids else 3,
                name,
                self.ids.get(name, bytes(16)),
                False,
                found,
                -1,
                {},
            )
            for name in request.topics
            for found in [self._partitions(name)]
        ]
        brokers: list[Any] = [(node, "host", 9092, None, {}) for node in self.nodes]
        return MetadataResponseV12(0, brokers, "", 1, topics, {})

    def _partitions(self, topic: str) -> list[Any]:
        return [
            (0, partition, leader.node, leader.epoch, [], [], [], {})
            for (name, partition), leader in self.leaders.items()
            if name == topic
        ]

    def _listed(self, node: int, request: ListOffsetsRequest) -> ListOffsetsResponseV5:
        topics: list[Any] = [
            (topic, [self._offset(node, topic, *one, request) for one in partitions])
            for topic, partitions in request.partitions.items()
        ]
        return ListOffsetsResponseV5(0, topics)

    def _offset(
        self, node: int, topic: str, partition: int, epoch: int, request: ListOffsetsRequest
    ) -> Any:
        if self.faults:
            return (partition, self.faults.pop(), -1, -1, -1)
        if self.leaders[topic, partition] != Leader(node, epoch):
            return (partition, 6, -1, -1, -1)
        log = self.logs[topic, partition]
        stable = log.stable if request.isolation == READ_COMMITTED else log.end
        return (partition, 0, -1, log.begin if request.timestamp == EARLIEST else stable, epoch)
