"""The contract's backend on a Kafka of any kind, through `processor.kafka`."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.protocol.transaction import EndTxnRequest

from processor.app.connect import connection_of
from processor.kafka.broker import KafkaBroker
from processor.kafka.client import admin_client
from processor.kafka.cluster import Cluster, open_cluster
from processor.kafka.group import GroupSettings, KafkaGroup
from processor.kafka.protocol.end_txn import EndTxnV5
from processor.kafka.topic_admin import (
    create_topics,
    delete_topics,
    describe_topics,
    wait_for_topics,
)
from processor.kafka.transaction_requests import transaction_version
from processor.kafka.transactions.values import TransactionVersion
from processor.kafka.transactions_of_process import KafkaTransactions
from processor.settings import Settings, load_settings
from processor.topic_rules import specs
from processor.topics import Topics
from processor.wire.record import Record
from tests.fakes.link import Hold
from tests.waiting import eventually

_QUICK_GROUP = GroupSettings(
    session_timeout_ms=6_000,
    heartbeat_interval_ms=100,
    rebalance_timeout_ms=6_000,
    partition_check_interval_ms=200,
)
# Longer than any test: nothing that a test leaves open ends by itself.
_TRANSACTION_TIMEOUT_MS = 120_000


class _Ends:
    """The ends of a process's transactions, on their way to Kafka."""

    def __init__(self, cluster: Cluster) -> None:
        self._holds: list[Hold] = []
        client: Any = cluster.client
        self._send = client.send
        client.send = self._send_or_hold

    def hold(self) -> Hold:
        """Let the next one wait."""
        hold = Hold("end")
        self._holds.append(hold)
        return hold

    async def _send_or_hold(self, node: int, request: Any, **options: Any) -> Any:
        if self._holds and isinstance(request, EndTxnRequest | EndTxnV5):
            hold = self._holds.pop(0)
            hold.reached.set()
            await hold.released.wait()
        return await self._send(node, request, **options)


class KafkaProcess:
    """A `Process` on Kafka."""

    def __init__(
        self,
        settings: Settings,
        cluster: Cluster,
        version: TransactionVersion,
        closing: AsyncExitStack,
    ) -> None:
        topics = Topics(settings.topic_prefix)
        self.broker = KafkaBroker(cluster, version, group_id=settings.app_id, topics=topics)
        self.group = KafkaGroup(
            connection_of(settings, "contract"),
            cluster,
            group_id=settings.app_id,
            events_topic=topics.events,
            settings=_QUICK_GROUP,
        )
        self._settings = settings
        self._cluster = cluster
        self._version = version
        self._closing = closing
        self._ends = _Ends(cluster)

    def transactions(self, name: str = "one") -> KafkaTransactions:
        """Part of `Process`."""
        transactions = KafkaTransactions(
            self._cluster,
            f"{self._settings.app_id}:{name}",
            self._version,
            group_id=self._settings.app_id,
            timeout_ms=_TRANSACTION_TIMEOUT_MS,
        )
        self._closing.push_async_callback(transactions.close)
        return transactions

    def hold_end(self) -> Hold:
        """Part of `Process`."""
        return self._ends.hold()


class KafkaBackend:
    """A `Backend` on Kafka. Everything it opened is closed with ``closing``."""

    def __init__(
        self,
        settings: Settings,
        admin: AIOKafkaAdminClient,
        closing: AsyncExitStack,
        *,
        version: TransactionVersion,
        tells_offsets_apart: bool,
    ) -> None:
        self.topics = Topics(settings.topic_prefix)
        self.raises_epochs = version is TransactionVersion.V2
        self.tells_offsets_apart = tells_offsets_apart
        self._settings = settings
        self._admin = admin
        self._closing = closing
        self._version = version

    async def process(self) -> KafkaProcess:
        """Part of `Backend`."""
        connection = connection_of(self._settings, "contract")
        cluster = await self._closing.enter_async_context(open_cluster(connection, self.topics.all))
        return KafkaProcess(self._settings, cluster, self._version, self._closing)

    async def append(self, topic: str, partition: int, records: Sequence[Record]) -> None:
        """Part of `Backend`."""
        async with AIOKafkaProducer(bootstrap_servers=self._settings.bootstrap_servers) as producer:
            # Not send(): it refuses a record without key and value, which other clients can write.
            batch = producer.create_batch()
            for key, value, headers in records:
                added = batch.append(timestamp=None, key=key, value=value, headers=headers)
                assert added is not None, "more than a batch holds"
            await (await producer.send_batch(batch, topic, partition=partition))

    async def grow(self, num_streams: int) -> None:
        """Part of `Backend`."""
        await self._admin.create_partitions({self.topics.events: NewPartitions(num_streams)})

    async def recreate(self, topic: str) -> None:
        """Part of `Backend`."""
        found = await describe_topics(self._admin, self.topics)
        again = [
            spec
            for spec in specs(self.topics, found[topic].partitions, found[topic].replication_factor)
            if spec.name == topic
        ]
        await delete_topics(self._admin, [topic])

        async def is_gone() -> bool:
            return topic not in await describe_topics(self._admin, self.topics)

        await eventually(is_gone, what=f"the end of {topic}")
        await create_topics(self._admin, again)
        await wait_for_topics(self._admin, self.topics)

    async def delete_before(self, topic: str, partition: int, offset: int) -> None:
        """Part of `Backend`."""
        where = TopicPartition(topic, partition)
        await self._admin.delete_records({where: RecordsToDelete(before_offset=offset)})


@asynccontextmanager
async def open_kafka(
    bootstrap: str, num_streams: int, *, tells_offsets_apart: bool = True
) -> AsyncIterator[KafkaBackend]:
    """New topics and a new group, gone afterwards."""
    name = f"contract-{uuid.uuid4().hex[:12]}"
    settings = load_settings(bootstrap_servers=bootstrap, app_id=name, topic_prefix=f"{name}.")
    connection = connection_of(settings, "contract")
    topics = Topics(settings.topic_prefix)
    async with admin_client(connection) as admin, AsyncExitStack() as closing:
        closing.push_async_callback(delete_topics, admin, list(topics.all))
        await create_topics(admin, specs(topics, num_streams, 1))
        await wait_for_topics(admin, topics)
        async with open_cluster(connection, ()) as cluster:
            version = await transaction_version(cluster.client)
        yield KafkaBackend(
            settings, admin, closing, version=version, tells_offsets_apart=tells_offsets_apart
        )
