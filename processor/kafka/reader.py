"""Reading one partition, committed records only, with a consumer of its own."""

from collections.abc import Callable, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from processor.kafka.connection import Connection
from processor.kafka.consumer import start_consumer, stop_consumer
from processor.kafka.errors import for_task
from processor.kafka.lenient import read_leniently
from processor.kafka.raw_records import hand_out_raw_records
from processor.runtime.ports import InputRecord

# How many records are decoded the slow way when one of them needs it.
_LENIENT_RECORDS = 100


class KafkaPartitionReader:
    """A `PartitionReader` on an aiokafka consumer with manual assignment."""

    def __init__(
        self,
        connection: Connection,
        consumer: AIOKafkaConsumer,
        partition: TopicPartition,
        offset: int,
    ) -> None:
        self._connection = connection
        self._consumer = consumer
        self._partition = partition
        self._position = offset

    @classmethod
    async def open(
        cls, connection: Connection, topic: str, partition: int, offset: int
    ) -> "KafkaPartitionReader":
        """Start reading at an offset.

        Raises:
            FootingLost: the broker cannot be reached.
        """
        where = TopicPartition(topic, partition)
        with for_task(f"opening {topic}/{partition}"):
            consumer = await _open(connection, where, offset, hand_out_raw_records)
        return cls(connection, consumer, where, offset)

    async def fetch(self, *, max_records: int, timeout_ms: int) -> Sequence[InputRecord]:
        """Part of `PartitionReader`."""
        with for_task(f"reading {self._partition.topic}/{self._partition.partition}"):
            try:
                fetched = await self._consumer.getmany(
                    self._partition, timeout_ms=timeout_ms, max_records=max_records
                )
            except UnicodeDecodeError:
                # The decoder is stuck there, and has dropped what it had decoded before.
                return await self._fetch_leniently(min(max_records, _LENIENT_RECORDS))
            self._position = await self._consumer.position(self._partition)
        return fetched.get(self._partition, ())

    async def _fetch_leniently(self, max_records: int) -> Sequence[InputRecord]:
        """Get past a record whose header names are no UTF-8, with a consumer of its own."""
        await stop_consumer(self._consumer)
        slow = await _open(self._connection, self._partition, self._position, read_leniently)
        try:
            fetched = await slow.getmany(
                self._partition,
                timeout_ms=self._connection.request_timeout_ms,
                max_records=max_records,
            )
            position = await slow.position(self._partition)
        finally:
            await stop_consumer(slow)
        self._consumer = await _open(
            self._connection, self._partition, position, hand_out_raw_records
        )
        self._position = position
        return fetched.get(self._partition, ())

    @property
    def position(self) -> int:
        """Part of `PartitionReader`."""
        return self._position

    @property
    def lag(self) -> int:
        """Part of `PartitionReader`."""
        end = self._consumer.last_stable_offset(self._partition)
        return 0 if end is None else max(end - self._position, 0)

    async def close(self) -> None:
        """Part of `PartitionReader`."""
        await stop_consumer(self._consumer)


async def _open(
    connection: Connection,
    partition: TopicPartition,
    offset: int,
    prepare: Callable[[AIOKafkaConsumer], None],
) -> AIOKafkaConsumer:
    consumer = AIOKafkaConsumer(
        **connection.options(),
        enable_auto_commit=False,
        isolation_level="read_committed",
        # Never guess a position: one that is gone is an error.
        auto_offset_reset="none",
    )
    await start_consumer(consumer)
    prepare(consumer)
    # No await in between: the fetcher must not see the partition without its position.
    consumer.assign([partition])
    consumer.seek(partition, offset)
    return consumer
