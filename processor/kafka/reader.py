"""Reading partitions, committed records only, with a consumer of its own."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from processor.kafka.connection import Connection
from processor.kafka.consumer import start_consumer, stop_consumer
from processor.kafka.errors import for_task
from processor.kafka.lenient import read_leniently
from processor.kafka.raw_records import hand_out_raw_records
from processor.runtime.ports import InputRecord

# How many records are decoded the slow way when one of them needs it.
_LENIENT_RECORDS = 100


class KafkaInputReader:
    """An `InputReader` on an aiokafka consumer with manual assignment."""

    def __init__(
        self,
        connection: Connection,
        consumer: AIOKafkaConsumer,
        positions: dict[TopicPartition, int],
    ) -> None:
        self._connection = connection
        self._consumer = consumer
        self._positions = positions
        self._by_topic = {where.topic: where for where in positions}
        self._name = ", ".join(f"{where.topic}/{where.partition}" for where in positions)

    @classmethod
    async def open(
        cls, connection: Connection, partition: int, offsets: Mapping[str, int]
    ) -> "KafkaInputReader":
        """Start reading a partition of some topics, each at an offset.

        Raises:
            FootingLost: the broker cannot be reached.
        """
        positions = {TopicPartition(topic, partition): at for topic, at in offsets.items()}
        with for_task(f"opening partition {partition} of {', '.join(offsets)}"):
            consumer = await _open(connection, positions, hand_out_raw_records)
        return cls(connection, consumer, positions)

    async def fetch(
        self, *, max_records: int, timeout_ms: int
    ) -> Mapping[str, Sequence[InputRecord]]:
        """Part of `InputReader`."""
        with for_task(f"reading {self._name}"):
            self._require_fetching()
            try:
                fetched = await self._consumer.getmany(
                    *self._positions, timeout_ms=timeout_ms, max_records=max_records
                )
            except UnicodeDecodeError:
                # The decoder is stuck there, and has dropped what it had decoded before.
                return await self._fetch_leniently(min(max_records, _LENIENT_RECORDS))
            await self._move(self._consumer)
        return {where.topic: records for where, records in fetched.items()}

    def _require_fetching(self) -> None:
        """See that the client still fetches: it has a routine for that, and would not miss it.

        Raises:
            KafkaError: the routine has ended.
        """
        fetcher: Any = self._consumer._fetcher
        if fetcher.error_future.done():
            raise KafkaError("the client has stopped fetching")

    async def _move(self, consumer: AIOKafkaConsumer) -> None:
        for where in self._positions:
            self._positions[where] = await consumer.position(where)

    async def _fetch_leniently(self, max_records: int) -> Mapping[str, Sequence[InputRecord]]:
        """Get past a record whose header names are no UTF-8, with a consumer of its own."""
        await stop_consumer(self._consumer)
        slow = await _open(self._connection, self._positions, read_leniently)
        try:
            fetched = await slow.getmany(
                *self._positions,
                timeout_ms=self._connection.request_timeout_ms,
                max_records=max_records,
            )
            positions = {where: await slow.position(where) for where in self._positions}
        finally:
            await stop_consumer(slow)
        self._consumer = await _open(self._connection, positions, hand_out_raw_records)
        self._positions.update(positions)
        return {where.topic: records for where, records in fetched.items()}

    def position(self, topic: str) -> int:
        """Part of `InputReader`."""
        return self._positions[self._by_topic[topic]]

    def lag(self, topic: str) -> int:
        """Part of `InputReader`."""
        end = self._consumer.last_stable_offset(self._by_topic[topic])
        return 0 if end is None else max(end - self.position(topic), 0)

    async def close(self) -> None:
        """Part of `InputReader`."""
        await stop_consumer(self._consumer)


class KafkaPartitionReader:
    """A `PartitionReader`: an input reader of one partition."""

    def __init__(self, reader: KafkaInputReader, topic: str) -> None:
        self._reader = reader
        self._topic = topic

    @classmethod
    async def open(
        cls, connection: Connection, topic: str, partition: int, offset: int
    ) -> "KafkaPartitionReader":
        """Start reading at an offset.

        Raises:
            FootingLost: the broker cannot be reached.
        """
        return cls(await KafkaInputReader.open(connection, partition, {topic: offset}), topic)

    async def fetch(self, *, max_records: int, timeout_ms: int) -> Sequence[InputRecord]:
        """Part of `PartitionReader`."""
        fetched = await self._reader.fetch(max_records=max_records, timeout_ms=timeout_ms)
        return fetched.get(self._topic, ())

    @property
    def position(self) -> int:
        """Part of `PartitionReader`."""
        return self._reader.position(self._topic)

    @property
    def lag(self) -> int:
        """Part of `PartitionReader`."""
        return self._reader.lag(self._topic)

    async def close(self) -> None:
        """Part of `PartitionReader`."""
        await self._reader.close()


async def _open(
    connection: Connection,
    positions: Mapping[TopicPartition, int],
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
    # No await in between: the fetcher must not see a partition without its position.
    consumer.assign(list(positions))
    for where, offset in positions.items():
        consumer.seek(where, offset)
    return consumer
