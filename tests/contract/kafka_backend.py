"""The contract's backend on a real Kafka, through `processor.kafka`."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata

from processor.bootstrap import connection_of
from processor.kafka.broker import KafkaBroker
from processor.kafka.client import admin_client, offsets_client
from processor.kafka.group import GroupSettings, KafkaGroup
from processor.kafka.topic_admin import create_topics, wait_for_topics
from processor.kafka.writer import transactional_id
from processor.runtime.ports import OutputRecord
from processor.settings import Settings, load_settings
from processor.topic_rules import specs
from processor.topics import Topics

_QUICK_GROUP = GroupSettings(
    session_timeout_ms=6_000,
    heartbeat_interval_ms=100,
    rebalance_timeout_ms=6_000,
    partition_check_interval_ms=200,
)


class KafkaBackend:
    """A `Backend` on Kafka. Everything it opened is closed with ``closing``."""

    def __init__(
        self, settings: Settings, admin: AIOKafkaAdminClient, closing: AsyncExitStack
    ) -> None:
        self.topics = Topics(settings.topic_prefix, directory_on=True)
        self._settings = settings
        self._admin = admin
        self._closing = closing

    async def broker(self) -> KafkaBroker:
        """Part of `Backend`."""
        connection = connection_of(self._settings, "contract")
        return KafkaBroker(
            connection,
            await self._closing.enter_async_context(offsets_client(connection)),
            await self._closing.enter_async_context(offsets_client(connection, "read_uncommitted")),
            self._admin,
            group_id=self._settings.app_id,
            topics=self.topics,
            transaction_timeout_ms=self._settings.transaction_timeout_ms,
        )

    async def member(self) -> KafkaGroup:
        """Part of `Backend`."""
        return KafkaGroup(
            connection_of(self._settings, "contract"),
            self._admin,
            group_id=self._settings.app_id,
            events_topic=self.topics.events,
            settings=_QUICK_GROUP,
        )

    async def append(self, topic: str, partition: int, records: Sequence[OutputRecord]) -> None:
        """Part of `Backend`."""
        async with AIOKafkaProducer(bootstrap_servers=self._settings.bootstrap_servers) as producer:
            # Not send(): it refuses a record without key and value, which other clients can write.
            batch = producer.create_batch()
            for key, value, headers in records:
                added = batch.append(timestamp=None, key=key, value=value, headers=headers)
                assert added is not None, "more than a batch holds"
            await (await producer.send_batch(batch, topic, partition=partition))

    async def crash_while_committing(
        self, stream: int, topic: str, records: Sequence[OutputRecord]
    ) -> None:
        """Part of `Backend`: the id is the one that the design gives to a stream's owner."""
        group = self._settings.app_id
        producer = AIOKafkaProducer(
            bootstrap_servers=self._settings.bootstrap_servers,
            transactional_id=transactional_id(group, self.topics, stream),
        )
        self._closing.push_async_callback(_stop_quietly, producer)
        await producer.start()
        await producer.begin_transaction()
        for key, value, headers in records:
            await producer.send_and_wait(topic, value, key, partition=stream, headers=headers)
        source = TopicPartition(self.topics.events, stream)
        await producer.send_offsets_to_transaction({source: OffsetAndMetadata(0, "never")}, group)

    async def grow(self, num_streams: int) -> None:
        """Part of `Backend`."""
        await self._admin.create_partitions({self.topics.events: NewPartitions(num_streams)})

    async def delete_before(self, topic: str, partition: int, offset: int) -> None:
        """Part of `Backend`."""
        where = TopicPartition(topic, partition)
        await self._admin.delete_records({where: RecordsToDelete(before_offset=offset)})


async def _stop_quietly(producer: AIOKafkaProducer) -> None:
    with suppress(KafkaError, OSError):
        await producer.stop()


@asynccontextmanager
async def open_kafka(bootstrap: str, num_streams: int) -> AsyncIterator[KafkaBackend]:
    """New topics and a new group, gone afterwards."""
    name = f"contract-{uuid.uuid4().hex[:12]}"
    settings = load_settings(bootstrap_servers=bootstrap, app_id=name, topic_prefix=f"{name}.")
    async with (
        admin_client(connection_of(settings, "contract")) as admin,
        AsyncExitStack() as closing,
    ):
        backend = KafkaBackend(settings, admin, closing)
        closing.push_async_callback(admin.delete_topics, list(backend.topics.all))
        await create_topics(admin, specs(backend.topics, num_streams, 1))
        await wait_for_topics(admin, backend.topics)
        yield backend
