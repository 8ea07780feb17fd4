"""Reading one partition, committed records only, with a consumer of its own."""

from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from processor.kafka.connection import Connection
from processor.kafka.consumer import start_consumer, stop_consumer
from processor.kafka.errors import for_task
from processor.kafka.raw_records import hand_out_raw_records
from processor.runtime.ports import InputRecord


class KafkaPartitionReader:
    """A `PartitionReader` on an aiokafka consumer with manual assignment."""

    def __init__(self, consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int) -> None:
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
        consumer = AIOKafkaConsumer(
            **connection.options(),
            enable_auto_commit=False,
            isolation_level="read_committed",
            # Never guess a position: one that is gone is an error.
            auto_offset_reset="none",
        )
        where = TopicPartition(topic, partition)
        with for_task(f"opening {topic}/{partition}"):
            await start_consumer(consumer)
            hand_out_raw_records(consumer)
            # No await in between: the fetcher must not see the partition without its position.
            consumer.assign([where])
            consumer.seek(where, offset)
        return cls(consumer, where, offset)

    async def fetch(self, *, max_records: int, timeout_ms: int) -> Sequence[InputRecord]:
        """Part of `PartitionReader`."""
        with for_task(f"reading {self._partition.topic}/{self._partition.partition}"):
            fetched = await self._consumer.getmany(
                self._partition, timeout_ms=timeout_ms, max_records=max_records
            )
            self._position = await self._consumer.position(self._partition)
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
