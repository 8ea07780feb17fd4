"""Kafka as readers and tasks see it."""

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from processor.kafka.connection import Connection
from processor.kafka.errors import for_task
from processor.kafka.group_offset import group_offset
from processor.kafka.reader import KafkaPartitionReader
from processor.kafka.writer import KafkaStreamWriter
from processor.runtime.ports import Bounds, Committed, PartitionReader, StreamWriter
from processor.topics import Topics


class KafkaLog:
    """A `Log` on aiokafka: one consumer for offsets, and one for each partition that is read."""

    def __init__(self, connection: Connection, offsets: AIOKafkaConsumer) -> None:
        self._connection = connection
        self._offsets = offsets

    async def bounds(self, topic: str, partition: int) -> Bounds:
        """Part of `Log`: the end is the one that a reader of committed records gets to."""
        where = TopicPartition(topic, partition)
        with for_task(f"asking for the offsets of {topic}/{partition}"):
            begin = await self._offsets.beginning_offsets([where])
            end = await self._offsets.end_offsets([where])
        return Bounds(begin[where], end[where])

    async def read(self, topic: str, partition: int, offset: int) -> PartitionReader:
        """Part of `Log`."""
        return await KafkaPartitionReader.open(self._connection, topic, partition, offset)


class KafkaBroker(KafkaLog):
    """A `Broker` on aiokafka: a log, and a transactional producer for each stream."""

    def __init__(
        self,
        connection: Connection,
        offsets: AIOKafkaConsumer,
        admin: AIOKafkaAdminClient,
        *,
        group_id: str,
        topics: Topics,
        transaction_timeout_ms: int,
    ) -> None:
        super().__init__(connection, offsets)
        self._admin = admin
        self._group_id = group_id
        self._topics = topics
        self._transaction_timeout_ms = transaction_timeout_ms

    async def fence(self, stream: int) -> StreamWriter:
        """Part of `Broker`."""
        return await KafkaStreamWriter.open(
            self._connection,
            stream=stream,
            group_id=self._group_id,
            topics=self._topics,
            transaction_timeout_ms=self._transaction_timeout_ms,
        )

    async def committed(self, stream: int) -> Committed | None:
        """Part of `Broker`."""
        source = TopicPartition(self._topics.events, stream)
        with for_task(f"asking for the committed offset of stream {stream}"):
            async with asyncio.timeout(self._connection.request_timeout_ms / 1000):
                return await self._committed(source)

    async def _committed(self, source: TopicPartition) -> Committed | None:
        """Ask until the group's coordinator answers: a new one takes a moment to be there."""
        while True:
            try:
                return await group_offset(self._admin, self._group_id, source)
            except KafkaError as error:
                if not error.retriable:
                    raise
            await asyncio.sleep(self._connection.retry_backoff_ms / 1000)
