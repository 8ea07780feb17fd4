"""Where the streams of a processor stand, as committed in ``orders.progress``."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition

from processor.wire.position import POSITION_KEY, Position, parse_position

_POLL_MS = 50


class Positions:
    """Follows the streams' positions. Open one with `follow_positions`."""

    def __init__(self, consumer: AIOKafkaConsumer, partitions: list[TopicPartition]) -> None:
        self._consumer = consumer
        self._partitions = partitions
        self._last: list[Position | None] = [None] * len(partitions)

    async def latest(self) -> list[Position | None]:
        """The last committed position of each stream; None where there is none."""
        ends: dict[TopicPartition, int] = await self._consumer.end_offsets(self._partitions)
        while any([await self._consumer.position(at) < end for at, end in ends.items()]):
            for where, records in (await self._consumer.getmany(timeout_ms=_POLL_MS)).items():
                found = [one.value for one in records if one.key == POSITION_KEY.encode()]
                if found:
                    self._last[where.partition] = parse_position(found[-1] or b"")
        return list(self._last)


@asynccontextmanager
async def follow_positions(servers: str, topic: str, num_streams: int) -> AsyncIterator[Positions]:
    """Read a topic's positions, for as long as the block runs.

    Args:
        servers: the Kafka.
        topic: where the positions are.
        num_streams: how many there are.
    """
    partitions = [TopicPartition(topic, number) for number in range(num_streams)]
    async with AIOKafkaConsumer(
        bootstrap_servers=servers,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    ) as consumer:
        consumer.assign(partitions)
        for where in partitions:
            consumer.seek(where, 0)
        yield Positions(consumer, partitions)
