"""How long the directory's round trips take on an idle system, as who waits for them sees it."""

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from benchmarks import topics
from benchmarks.observe import wait_until_committed
from benchmarks.processes import child
from processor.bootstrap import topics_of
from processor.core.sharding import stream_of

_COUNT = 200
_LIMIT_S = 30

Answer = dict[str, Any]


async def latencies(servers: str, num_streams: int) -> dict[str, float]:
    """Two round trips, one at a time.

    An id-only cancel is written to another stream than its order's: milliseconds from there to its
    final answer. Two users place the same id: milliseconds from the second place's answer, which
    says applied, to the correction that revokes it.
    """
    settings = topics.fresh_settings(servers, "latency", directory="on")
    ours = topics_of(settings)
    try:
        await topics.prepare(settings, num_streams)
        async with child(["benchmarks.measured"], **topics.environment(settings)) as processor:
            await wait_until_committed(servers, settings.app_id, ours.events, [0] * num_streams)
            async with _desk(servers, ours.events, ours.results, num_streams) as desk:
                cancels = [await _cancel(desk, number, num_streams) for number in range(_COUNT)]
                windows = [await _revoke(desk, number, num_streams) for number in range(_COUNT)]
            await processor.stop()
    finally:
        await topics.delete(servers, settings.topic_prefix)
    return {**_percentiles("id_only_cancel", cancels), **_percentiles("revoke", windows)}


def _percentiles(name: str, times_ms: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(times_ms, n=100)
    return {f"{name}_p50_ms": round(cuts[49], 1), f"{name}_p99_ms": round(cuts[98], 1)}


class _Desk:
    """Where events are handed in and answers come out."""

    def __init__(self, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer, topic: str) -> None:
        self._producer = producer
        self._consumer = consumer
        self._topic = topic

    async def send(self, stream: int, **event: str) -> None:
        value = json.dumps(event).encode()
        await self._producer.send_and_wait(self._topic, value, partition=stream)

    async def until(self, holds: Callable[[Answer], object]) -> float:
        """Wait for an answer; when it was read, in seconds."""
        async with asyncio.timeout(_LIMIT_S):
            while True:
                record = await self._consumer.getone()
                if holds(json.loads(record.value or b"")):
                    return time.monotonic()


@asynccontextmanager
async def _desk(servers: str, events: str, results: str, num_streams: int) -> AsyncIterator[_Desk]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer, consumer:
        consumer.assign([TopicPartition(results, number) for number in range(num_streams)])
        yield _Desk(producer, consumer, events)


async def _place(desk: _Desk, user: str, order_id: str, num_streams: int) -> float:
    stream = stream_of(user, num_streams)
    order = {"currency": "BTC", "amount": "1", "price": "1"}
    await desk.send(stream, type="place", order_id=order_id, user_id=user, **order)
    return await desk.until(lambda answer: answer["order_id"] == order_id)


async def _cancel(desk: _Desk, number: int, num_streams: int) -> float:
    user, order_id = f"user-{number}", f"order-{number}"
    await _place(desk, user, order_id, num_streams)
    sent_s = time.monotonic()
    elsewhere = (stream_of(user, num_streams) + 1) % num_streams
    await desk.send(elsewhere, type="cancel", order_id=order_id)
    read_s = await desk.until(lambda answer: answer["result"] == "applied")
    return (read_s - sent_s) * 1000


async def _revoke(desk: _Desk, number: int, num_streams: int) -> float:
    order_id = f"twice-{number}"
    first = f"user-{number}"
    users = (f"other-{other}" for other in range(1000))
    second = next(u for u in users if stream_of(u, num_streams) != stream_of(first, num_streams))
    await _place(desk, first, order_id, num_streams)
    applied_s = await _place(desk, second, order_id, num_streams)
    revoked_s = await desk.until(lambda answer: answer.get("revoked"))
    return (revoked_s - applied_s) * 1000
