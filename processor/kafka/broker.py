"""Kafka as readers and tasks see it."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from processor.kafka.connection import Connection
from processor.kafka.errors import for_task
from processor.kafka.group_offset import group_offsets
from processor.kafka.leaders import Leaders
from processor.kafka.passing import until_passed
from processor.kafka.reader import KafkaInputReader, KafkaPartitionReader
from processor.kafka.record_removal import delete_records
from processor.kafka.writer import KafkaStreamWriter
from processor.runtime.ports import Bounds, Committed, InputReader, PartitionReader, StreamWriter
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
    """A `Broker` on aiokafka: a log, and a transactional producer for each stream.

    ``offsets`` is asked for the offsets of what is committed, ``open_offsets`` for those of all.
    """

    def __init__(
        self,
        connection: Connection,
        offsets: AIOKafkaConsumer,
        open_offsets: AIOKafkaConsumer,
        admin: AIOKafkaAdminClient,
        *,
        group_id: str,
        topics: Topics,
        transaction_timeout_ms: int,
    ) -> None:
        super().__init__(connection, offsets)
        self._open_offsets = open_offsets
        self._admin = admin
        self._group_id = group_id
        self._topics = topics
        self._transaction_timeout_ms = transaction_timeout_ms
        self._leaders = Leaders(admin, topics)

    def watching_leaders(self) -> AbstractAsyncContextManager[None]:
        """Notice moves of leaders for as long as the block runs, also those that cut nothing."""
        return self._leaders.watched()

    async def fence(self, stream: int) -> StreamWriter:
        """Part of `Broker`."""
        return await KafkaStreamWriter.open(
            self._connection,
            self._admin,
            self._open_offsets,
            self._leaders,
            stream=stream,
            group_id=self._group_id,
            topics=self._topics,
            transaction_timeout_ms=self._transaction_timeout_ms,
        )

    async def committed(self, stream: int) -> Committed | None:
        """Part of `Broker`."""
        found = await self._committed(stream, (self._topics.events,))
        return found.get(self._topics.events)

    async def queue_offsets(self, stream: int, topics: Sequence[str]) -> Mapping[str, int]:
        """Part of `Broker`."""
        found = await self._committed(stream, topics)
        return {topic: committed.offset for topic, committed in found.items()}

    async def _committed(self, stream: int, topics: Sequence[str]) -> dict[str, Committed]:
        with for_task(f"asking for the committed offsets of stream {stream}"):
            async with asyncio.timeout(self._connection.request_timeout_ms / 1000):
                # A new coordinator takes a moment to be there.
                return await until_passed(
                    f"asking for the committed offsets of stream {stream}",
                    partial(group_offsets, self._admin, self._group_id, stream, topics),
                    self._connection.retry_backoff_ms / 1000,
                )

    async def read_inputs(self, stream: int, offsets: Mapping[str, int]) -> InputReader:
        """Part of `Broker`."""
        return await KafkaInputReader.open(self._connection, stream, offsets)

    async def purge(self, topic: str, partition: int, offset: int) -> None:
        """Part of `Broker`."""
        timeout_ms = self._connection.request_timeout_ms
        with for_task(f"deleting what was read of {topic}/{partition}"):
            await delete_records(self._admin, topic, partition, offset, timeout_ms)

    async def end(self, topic: str, partition: int) -> int:
        """Part of `Broker`."""
        where = TopicPartition(topic, partition)
        with for_task(f"asking for the end of {topic}/{partition}"):
            return int((await self._open_offsets.end_offsets([where]))[where])
