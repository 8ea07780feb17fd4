"""A set of topics of a test's own on a real Kafka: writing events, and reading all there is."""

import asyncio
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata

from processor.bootstrap import make_topics
from processor.settings import load_settings
from processor.topics import Topics

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

    async def committed(self) -> list[int]:
        """The group's committed offsets, -1 where there is none or the broker does not say."""
        partitions = self._event_partitions()
        found: dict[TopicPartition, OffsetAndMetadata] = {}
        async with _Admin(self.servers) as admin:
            try:
                found = await admin.list_consumer_group_offsets(self.app_id, partitions=partitions)
            except KafkaError as error:
                # A broker that has just started has no coordinator yet.
                if not error.retriable:
                    raise
        return [found[where].offset if where in found else -1 for where in partitions]

    async def drained(self) -> None:
        """Wait until the group has committed the end of every partition of events."""
        partitions = self._event_partitions()
        async with AIOKafkaConsumer(bootstrap_servers=self.servers) as consumer:
            ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
        await self.reached([ends[where] for where in partitions])

    async def reached(self, offsets: Sequence[int]) -> None:
        """Wait until the group has committed these offsets or later ones."""
        deadline = time.monotonic() + _LIMIT_S
        while True:
            committed = await self.committed()
            if all(has >= wants for has, wants in zip(committed, offsets, strict=True)):
                return
            assert time.monotonic() < deadline, f"committed {committed}, want {offsets}"
            await asyncio.sleep(_POLL_S)

    async def progressed(self, events: int) -> None:
        """Wait until so many events have been committed in all."""
        deadline = time.monotonic() + _LIMIT_S
        while sum(max(offset, 0) for offset in await self.committed()) < events:
            assert time.monotonic() < deadline, f"{events} events were never committed"
            await asyncio.sleep(_POLL_S)

    def _event_partitions(self) -> list[TopicPartition]:
        return [TopicPartition(self.topics.events, number) for number in range(self.num_streams)]


class _Admin:
    def __init__(self, servers: str) -> None:
        self._admin = AIOKafkaAdminClient(bootstrap_servers=servers)

    async def __aenter__(self) -> AIOKafkaAdminClient:
        await self._admin.start()
        return self._admin

    async def __aexit__(self, *_: object) -> None:
        await self._admin.close()
