"""A set of topics of a test's own on a real Kafka: writing events, and reading all there is."""

import asyncio
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.protocol.group import LeaveGroupRequest

from processor.app.topics import make_topics
from processor.settings import load_settings
from processor.topics import Topics
from processor.wire.position import Position
from tests.integration.positions import Positions, follow_positions

_LIMIT_S = 120
_POLL_S = 0.05


Record = ConsumerRecord[bytes | None, bytes | None]


def _unique() -> str:
    return f"test-{uuid.uuid4().hex[:12]}"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Topics under a prefix, one of their own if none is named."""

    servers: str
    num_streams: int
    app_id: str = field(default_factory=_unique)
    prefix: str = ""

    @property
    def topics(self) -> Topics:
        """The topics' names."""
        return Topics(self.prefix or f"{self.app_id}.")

    @property
    def environment(self) -> dict[str, str]:
        """What points a command at this cluster, with a session that ends soon after a kill."""
        return {
            "LIVE_ORDERS_BOOTSTRAP_SERVERS": self.servers,
            "LIVE_ORDERS_APP_ID": self.app_id,
            "LIVE_ORDERS_TOPIC_PREFIX": self.topics.prefix,
            "LIVE_ORDERS_SESSION_TIMEOUT_MS": "6000",
            "LIVE_ORDERS_HEARTBEAT_INTERVAL_MS": "500",
        }

    async def create(self) -> None:
        """Create the topics."""
        settings = load_settings(bootstrap_servers=self.servers, topic_prefix=self.topics.prefix)
        await make_topics(settings, self.num_streams, None)

    async def send(
        self,
        values: Iterable[tuple[str, bytes | None]],
        *,
        pause_s: float = 0,
        every: int = 1000,
    ) -> None:
        """Write events, keyed and partitioned by user.

        Args:
            values: pairs of user and value.
            pause_s: how long to wait, for a steady flow, after
            every: so many.
        """
        async with AIOKafkaProducer(bootstrap_servers=self.servers, acks="all") as producer:
            for number, (user, value) in enumerate(values):
                await producer.send(self.topics.events, value, key=user.encode())
                if pause_s and number % every == every - 1:
                    await asyncio.sleep(pause_s)
            await producer.flush()

    async def send_to(
        self, sent: Iterable[tuple[int, bytes]], *, pause_s: float = 0, every: int = 1000
    ) -> None:
        """Write values to partitions, without keys; otherwise as `send`."""
        async with AIOKafkaProducer(bootstrap_servers=self.servers, acks="all") as producer:
            for number, (partition, value) in enumerate(sent):
                await producer.send(self.topics.events, value, partition=partition)
                if pause_s and number % every == every - 1:
                    await asyncio.sleep(pause_s)
            await producer.flush()

    async def read(self, topic: str) -> list[list[Record]]:
        """All committed records, partition by partition."""
        partitions = [TopicPartition(topic, number) for number in range(self.num_streams)]
        found: list[list[Record]] = [[] for _ in partitions]
        async with AIOKafkaConsumer(
            bootstrap_servers=self.servers,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        ) as consumer:
            consumer.assign(partitions)
            for where in partitions:
                consumer.seek(where, 0)
            ends = await self._settled(partitions, consumer)
            while any([await consumer.position(where) < ends[where] for where in partitions]):
                for where, records in (await consumer.getmany(timeout_ms=100)).items():
                    found[where.partition].extend(records)
        return found

    async def _settled(
        self, partitions: list[TopicPartition], committed: AIOKafkaConsumer
    ) -> dict[TopicPartition, int]:
        """The ends, once no transaction is open: a commit returns before its markers are there."""
        deadline = time.monotonic() + _LIMIT_S
        async with AIOKafkaConsumer(bootstrap_servers=self.servers) as consumer:
            while True:
                ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
                if ends == await committed.end_offsets(partitions):
                    return ends
                assert time.monotonic() < deadline, "a transaction stays open"
                await asyncio.sleep(_POLL_S)

    async def positions(self) -> list[Position | None]:
        """The committed position of each stream; None where there is none yet."""
        async with self._positions() as following:
            return await following.latest()

    async def committed(self) -> list[int]:
        """The next event of each stream, as its committed position says; -1 where there is none."""
        return [-1 if one is None else one["events"] for one in await self.positions()]

    async def group_offsets(self, topic: str = "") -> list[int]:
        """The group's offsets of a topic, of events unless one is named; -1 where there is none."""
        names = [topic or self.topics.events]
        partitions = self._partitions(names)
        async with _Admin(self.servers) as admin:
            found = await admin.list_consumer_group_offsets(self.app_id, partitions=partitions)
        return [found[where].offset if where in found else -1 for where in partitions]

    async def drained(self) -> None:
        """Wait until every stream has committed the end of its partition of events."""
        partitions = self._partitions([self.topics.events])
        async with AIOKafkaConsumer(bootstrap_servers=self.servers) as consumer:
            ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
        await self.reached([ends[where] for where in partitions])

    async def at_rest(self) -> None:
        """Wait until all events are finished, wherever they went, and no command waits.

        Every hop is one transaction: when all that the queues have is committed as read, and they
        have nothing more afterwards, nothing is on its way.
        """
        deadline = time.monotonic() + _LIMIT_S
        await self.drained()
        async with self._positions() as following:
            while True:
                queued = await self._queued()
                said = await following.latest()
                if _all_read(self.topics, said, queued) and queued == await self._queued():
                    return
                assert time.monotonic() < deadline, "something stays on its way"
                await asyncio.sleep(_POLL_S)

    async def _queued(self) -> dict[TopicPartition, int]:
        """The last offset of each queue that has records."""
        return {
            TopicPartition(topic, number): records[-1].offset
            for topic in self.topics.queues
            for number, records in enumerate(await self.read(topic))
            if records
        }

    async def written(
        self,
        topic: str,
        at_least: int = 0,
        *,
        isolation_level: str = "read_uncommitted",
        unless: Callable[[], bool] = lambda: False,
    ) -> int:
        """Wait until so much was written to a topic, or something else holds; how much there is."""
        partitions = [TopicPartition(topic, number) for number in range(self.num_streams)]
        deadline = time.monotonic() + _LIMIT_S
        async with AIOKafkaConsumer(
            bootstrap_servers=self.servers, isolation_level=isolation_level
        ) as consumer:
            while True:
                ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
                if sum(ends.values()) >= at_least or unless():
                    return sum(ends.values())
                assert time.monotonic() < deadline, f"{topic} has {ends}, never {at_least} in all"
                await asyncio.sleep(0.002)

    async def parked(self) -> int:
        """How many commands wait, as committed."""
        said = await self.positions()
        return sum(one["directory"]["parked"] for one in said if one is not None)

    async def forget_members(self) -> None:
        """End the membership of all processes, which are dead, as the session's end would."""
        async with _Admin(self.servers) as admin:
            coordinator = await admin.find_coordinator(self.app_id)
            described: list[Any] = await admin.describe_consumer_groups([self.app_id])
            members = [member[0] for one in described for member in one.groups[0][5]]
            for member_id in members:
                request = LeaveGroupRequest(self.app_id, member_id)
                await admin._send_request(request, coordinator)

    async def grow(self, topics: Iterable[str], partitions: int) -> None:
        """Let topics have so many partitions, and wait until that is known."""
        wanted = dict.fromkeys(topics, partitions)
        deadline = time.monotonic() + _LIMIT_S
        async with _Admin(self.servers) as admin:
            await admin.create_partitions({name: NewPartitions(partitions) for name in wanted})
            while True:
                found = {
                    one["topic"]: sum(part["leader"] >= 0 for part in one["partitions"])
                    for one in await admin.describe_topics()
                }
                if wanted.items() <= found.items():
                    return
                assert time.monotonic() < deadline, f"never grew to {wanted}"
                await asyncio.sleep(_POLL_S)

    async def reached(self, offsets: Sequence[int]) -> None:
        """Wait until the streams have committed these offsets of events or later ones."""
        await self._follow(
            lambda found: all(has >= wants for has, wants in zip(found, offsets, strict=True)),
            f"positions at {offsets}",
        )

    async def progressed(self, events: int) -> None:
        """Wait until so many events have been committed in all."""
        await self._follow(lambda found: sum(found) >= events, f"{events} events in all")

    async def _follow(self, is_reached: Callable[[list[int]], bool], what: str) -> None:
        """Wait for what the committed offsets of events fulfil."""
        deadline = time.monotonic() + _LIMIT_S
        async with self._positions() as following:
            while True:
                said = await following.latest()
                found = [0 if one is None else one["events"] for one in said]
                if is_reached(found):
                    return
                assert time.monotonic() < deadline, f"never {what}, but {found}"
                await asyncio.sleep(_POLL_S)

    def _positions(self) -> AbstractAsyncContextManager[Positions]:
        return follow_positions(self.servers, self.topics.progress, self.num_streams)

    def _partitions(self, topics: Iterable[str]) -> list[TopicPartition]:
        return [
            TopicPartition(topic, number) for topic in topics for number in range(self.num_streams)
        ]


def _all_read(
    topics: Topics, said: Sequence[Position | None], queued: Mapping[TopicPartition, int]
) -> bool:
    """Whether the queues were read so far, and no shard has a command that waits."""
    done = [one for one in said if one is not None and not one["directory"]["parked"]]
    if len(done) < len(said):
        return False
    read = {
        TopicPartition(topic, number): offset
        for number, one in enumerate(done)
        for topic, offset in ((topics.routed, one["routed"]), (topics.claims, one["claims"]))
    }
    return all(read[where] > at for where, at in queued.items())


class _Admin:
    def __init__(self, servers: str) -> None:
        self._admin = AIOKafkaAdminClient(bootstrap_servers=servers)

    async def __aenter__(self) -> AIOKafkaAdminClient:
        await self._admin.start()
        return self._admin

    async def __aexit__(self, *_: object) -> None:
        await self._admin.close()
