"""What a reader of the topics can tell of a run: when it is done, and how long it took."""

import asyncio
import time
from collections.abc import Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from processor.wire.position import POSITION_KEY, Position, parse_position

_POLL_S = 0.1
_QUIET_MS = 500
_LIMIT_S = 900
# More than the transaction markers that can stand at the end of a partition.
_TAIL = 50


async def wait_until_committed(servers: str, group: str, topic: str, counts: Sequence[int]) -> None:
    """Wait until the group has committed the offset after the last event of each partition."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        deadline = time.monotonic() + _LIMIT_S
        wanted = {TopicPartition(topic, number): count for number, count in enumerate(counts)}
        while True:
            found = await admin.list_consumer_group_offsets(group, partitions=list(wanted))
            if all(one in found and found[one].offset >= count for one, count in wanted.items()):
                return
            if time.monotonic() > deadline:
                raise SystemExit(f"group {group} did not finish in {_LIMIT_S} s: {found}")
            await asyncio.sleep(_POLL_S)
    finally:
        await admin.close()


async def wait_until_agreed(servers: str, topic: str, counts: Sequence[int]) -> None:
    """Wait until all events are finished and the directory knows as many orders as are live.

    Args:
        servers: the Kafka.
        topic: ``orders.progress``, where the positions stand.
        counts: the events of each stream; no id is used twice.
    """
    consumer = _reader(servers)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, number) for number in range(len(counts))])
        positions: dict[int, Position] = {}
        deadline = time.monotonic() + _LIMIT_S
        while time.monotonic() < deadline:
            fetched = await consumer.getmany(timeout_ms=_QUIET_MS)
            for where, records in fetched.items():
                for record in records:
                    if record.key == POSITION_KEY.encode() and record.value is not None:
                        positions[where.partition] = parse_position(record.value)
            # Not between two of them: places that a shard still has to hear of may be as many as
            # ends of orders.
            if not fetched and are_agreed(positions, counts):
                return
        raise SystemExit(f"{topic} did not come to an end in {_LIMIT_S} s")
    finally:
        await consumer.stop()


def are_agreed(positions: Mapping[int, Position], counts: Sequence[int]) -> bool:
    """Whether streams have finished so many events, and shards know as many orders as are live."""
    if any(
        stream not in positions or positions[stream]["events"] < count
        for stream, count in enumerate(counts)
    ):
        return False
    live = sum(one["live_orders"] for one in positions.values())
    return live == sum(one["directory"]["owners"] for one in positions.values())


async def seconds_of_writing(servers: str, topics: Sequence[str], num_streams: int) -> float:
    """From the first record's timestamp to the last one's, over all partitions."""
    consumer = _reader(servers)
    await consumer.start()
    try:
        first_ms, last_ms = [], []
        for where in (TopicPartition(topic, n) for topic in topics for n in range(num_streams)):
            end = (await consumer.end_offsets([where]))[where]
            first_ms.append(min(await _timestamps(consumer, where, 0, 1)))
            last_ms.append(max(await _timestamps(consumer, where, max(end - _TAIL, 0), end)))
        return (max(last_ms) - min(first_ms)) / 1000
    finally:
        await consumer.stop()


def _reader(servers: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        bootstrap_servers=servers,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )


async def _timestamps(
    consumer: AIOKafkaConsumer, where: TopicPartition, begin: int, end: int
) -> list[int]:
    consumer.assign([where])
    consumer.seek(where, begin)
    found: list[int] = []
    while await consumer.position(where) < end:
        fetched = await consumer.getmany(where, timeout_ms=200)
        found.extend(record.timestamp for record in fetched.get(where, ()))
    return found
