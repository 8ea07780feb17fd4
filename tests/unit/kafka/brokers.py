"""The brokers of a `Cluster`, in memory: who leads what, and where it begins and ends."""

from collections import defaultdict
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from aiokafka.client import CoordinationType

from processor.kafka.cluster import Cluster
from processor.kafka.cluster_client import ClusterClient
from processor.kafka.connection import Connection
from processor.kafka.protocol.list_offsets import ListOffsetsRequest, ListOffsetsResponseV5
from processor.kafka.protocol.metadata import MetadataRequest, MetadataResponseV12
from processor.task.ports import Partition

_NEWEST = (0, 99)
_ID = bytes(15) + b"\1"


class Brokers:
    """A client that is connected to two brokers.

    Attributes:
        leaders: the node and the leader epoch of each partition of the topic ``t``.
        ends: by isolation level and timestamp, what ListOffsets gives of any partition.
        refuses: codes that ListOffsets answers first, one after the other.
        fails: errors that requests to coordinators end with, one after the other.
    """

    def __init__(self) -> None:
        self.leaders = {0: (1, 5), 1: (2, 5), 2: (1, 5)}
        self.ends = {(0, -2): 3, (1, -1): 7, (0, -1): 9}
        self.refuses: list[int] = []
        self.fails: list[Exception] = []
        self.looks = 0
        self.lookups: list[tuple[CoordinationType, str]] = []
        self.asked: list[tuple[int, Any]] = []
        self.on_stale: Callable[[], None] = lambda: None
        self.cluster = SimpleNamespace(brokers=lambda: [SimpleNamespace(nodeId=1)])

    def learn_brokers(self, *_: object) -> None:
        """Part of `ClusterClient`."""

    async def coordinator_lookup(self, kind: CoordinationType, key: str) -> int:
        """Part of the client: another node each time."""
        self.lookups.append((kind, key))
        return len(self.lookups)

    async def send(self, node: int, request: Any) -> Any:
        """Part of the client."""
        if isinstance(request, MetadataRequest):
            self.looks += 1
            return self._metadata()
        self.asked.append((node, request))
        if isinstance(request, ListOffsetsRequest):
            return self._offsets(request.prepare({2: _NEWEST}))
        if self.fails:
            raise self.fails.pop(0)
        return request, node

    def _metadata(self) -> MetadataResponseV12:
        partitions: list[Any] = [
            (0, number, node, epoch, [node], [node], [], {})
            for number, (node, epoch) in self.leaders.items()
        ]
        topics: list[Any] = [(0, "t", _ID, False, partitions, 0, {})]
        return MetadataResponseV12(0, [(1, "one", 9092, None, {})], "cluster", 1, topics, {})

    def _offsets(self, sent: Any) -> ListOffsetsResponseV5:
        code = self.refuses.pop(0) if self.refuses else 0
        topics: defaultdict[str, list[Any]] = defaultdict(list)
        for topic, partitions in sent.topics:
            for partition, _epoch, timestamp in partitions:
                offset = self.ends[sent.isolation_level, timestamp] + 100 * partition
                topics[topic].append((partition, code, -1, offset, -1))
        return ListOffsetsResponseV5(0, list(topics.items()))


def cluster_of(brokers: Brokers, *, request_timeout_ms: int = 2_000) -> Cluster:
    """A process's view of them; it has not looked yet."""
    connection = Connection(
        "127.0.0.1:1", request_timeout_ms=request_timeout_ms, retry_backoff_ms=1
    )
    return Cluster(connection, cast("ClusterClient", brokers), ["t"])


def partitions(*numbers: int) -> list[Partition]:
    """Partitions of the topic."""
    return [Partition("t", number) for number in numbers]
