"""The shared parts of a process: one client, one view of the cluster, one fetcher."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import KafkaConnectionError, KafkaError, LeaderNotAvailableError

from processor.kafka.cluster_client import ClusterClient
from processor.kafka.cluster_view import ClusterView
from processor.kafka.cluster_watch import ClusterWatch
from processor.kafka.connection import Connection
from processor.kafka.errors import for_command, for_task
from processor.kafka.fetch_driver import Fetcher
from processor.kafka.offset_lookup import End, OffsetLookup
from processor.kafka.transactions.values import TopicPartition
from processor.task.ports import Offsets, Partition

_RETRY_S: Final = 0.25
# A restarted broker's partitions have leaders again some moments after it answers.
_LEADERS_WITHIN_S: Final = 10


class Cluster:
    """The brokers, as one process sees them. Open one with `open_cluster`."""

    def __init__(
        self, connection: Connection, client: ClusterClient, topics: Iterable[str]
    ) -> None:
        self.connection = connection
        self.client: AIOKafkaClient = client
        self.view = ClusterView()
        self.watch = ClusterWatch(client, self.view, topics)
        self.fetcher = Fetcher(client, self.view, self.watch, translate=for_task)
        self._lookup = OffsetLookup(client, self.view, self.watch, connection.request_timeout_ms)
        self._retry_s = connection.retry_backoff_ms / 1000
        self._coordinators: dict[tuple[CoordinationType, str], int] = {}

    async def ask_coordinator(self, kind: CoordinationType, key: str, request: Any) -> Any:
        """Ask the coordinator of a group or of a transactional id once.

        Raises:
            KafkaError: there is no answer; one that is retriable is passing.
        """
        where = kind, key
        node = self._coordinators.get(where)
        if node is None:
            node = self._coordinators[where] = await self.client.coordinator_lookup(kind, key)
        try:
            return await self.client.send(node, request)
        except KafkaError:
            self._coordinators.pop(where, None)
            raise

    def forget_coordinator(self, kind: CoordinationType, key: str) -> None:
        """Look for the coordinator anew, for the one that was asked is not it any more."""
        self._coordinators.pop((kind, key), None)

    @property
    def doubts(self) -> int:
        """Grows whenever a partition may have been without a leader."""
        return self.watch.losses + self.view.moves

    async def find_leaders(
        self, partitions: Collection[tuple[str, int]]
    ) -> dict[TopicPartition, int]:
        """Ask for the leaders of partitions; those that have none are left out."""
        await self.watch.look()
        found = {TopicPartition(*where): self.view.leader(*where) for where in partitions}
        return {where: leader.node for where, leader in found.items() if leader is not None}

    async def wait_for_leaders(self, partitions: Collection[Partition]) -> None:
        """Wait until all partitions have a leader.

        Raises:
            LeaderNotAvailableError: one has none for long.
        """
        now = asyncio.get_running_loop().time
        deadline = now() + _LEADERS_WITHIN_S
        while True:
            found = await self.find_leaders(partitions)
            missing = [where for where in partitions if TopicPartition(*where) not in found]
            if not missing:
                return
            if now() > deadline:
                raise LeaderNotAvailableError(f"{missing[0]} has no leader")
            await asyncio.sleep(self._retry_s)

    def by_leader(self, partitions: Iterable[Partition]) -> Mapping[int, list[Partition]]:
        """Partitions by the nodes that lead them.

        Raises:
            LeaderNotAvailableError: one has no leader.
        """
        found: defaultdict[int, list[Partition]] = defaultdict(list)
        for where in partitions:
            leader = self.view.leader(*where)
            if leader is None:
                self.watch.refresh()
                raise LeaderNotAvailableError(f"{where} has no leader")
            found[leader.node].append(where)
        return found

    async def offsets(self, partitions: Sequence[Partition]) -> dict[Partition, Offsets]:
        """Where partitions begin and end now.

        Raises:
            KafkaError: a broker does not say in time.
        """
        wanted = [TopicPartition(*where) for where in partitions]
        # Begins first: one that is purged meanwhile must not begin after its end.
        begins = await self._lookup.offsets(End.FIRST, wanted)
        stable_ends, ends = await asyncio.gather(
            self._lookup.offsets(End.STABLE, wanted), self._lookup.offsets(End.LAST, wanted)
        )
        return {
            where: Offsets(begins[one], stable_ends[one], ends[one])
            for where, one in zip(partitions, wanted, strict=True)
        }


@asynccontextmanager
async def open_cluster(connection: Connection, topics: Iterable[str]) -> AsyncIterator[Cluster]:
    """A process's view of the brokers, for as long as the block runs.

    Args:
        connection: how to connect.
        topics: the ones to know the leaders of.

    Raises:
        KafkaUnavailable: no broker answers within the connection's time.
    """
    client = ClusterClient(**connection.options())
    cluster = Cluster(connection, client, topics)
    try:
        with for_command(connection.bootstrap_servers):
            await _reach(cluster, client)
        async with cluster.watch.running():
            yield cluster
    finally:
        await cluster.fetcher.close()
        await client.close()  # type: ignore[no-untyped-call]


async def _reach(cluster: Cluster, client: ClusterClient) -> None:
    """Try until a broker answers or the time is up: it may be just starting."""
    now = asyncio.get_running_loop().time
    deadline = now() + cluster.connection.connect_timeout_ms / 1000
    try:
        async with asyncio.timeout_at(deadline):
            while True:
                try:
                    await client.bootstrap()  # type: ignore[no-untyped-call]
                    if await cluster.watch.look():
                        return
                except (KafkaError, OSError):
                    if now() + _RETRY_S >= deadline:
                        raise
                await asyncio.sleep(_RETRY_S)
    except TimeoutError as error:
        raise KafkaConnectionError from error
