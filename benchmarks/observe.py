"""What a reader of the topics can tell of a run: when it is done, and how long it took."""

import asyncio
import json
import time
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

_POLL_S = 0.1
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


async def wait_until_agreed(servers: str, group: str, topic: str, num_streams: int) -> None:
    """Wait until the directory knows as many orders as are live, by what the group has committed.

    All events must be committed, and no id used twice: then it has read all that it was told.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        deadline = time.monotonic() + _LIMIT_S
        partitions = [TopicPartition(topic, number) for number in range(num_streams)]
        while True:
            found = await admin.list_consumer_group_offsets(group, partitions=partitions)
            committed = [json.loads(one.metadata) for one in found.values()]
            live = sum(one["live_orders"] for one in committed)
            if live == sum(one["directory"]["owners"] for one in committed):
                return
            if time.monotonic() > deadline:
                raise SystemExit(f"the directory of {group} did not finish in {_LIMIT_S} s")
            await asyncio.sleep(_POLL_S)
    finally:
        await admin.close()


async def seconds_of_writing(servers: str, topics: Sequence[str], num_streams: int) -> float:
    """From the first record's timestamp to the last one's, over all partitions."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
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
