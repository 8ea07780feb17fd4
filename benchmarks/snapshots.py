"""How long snapshots of a long list hold up a batch."""

import asyncio

from aiokafka import AIOKafkaProducer

from benchmarks import topics
from benchmarks.events import fill, market, places
from benchmarks.observe import wait_until_committed
from benchmarks.processes import processor
from benchmarks.target import Target

_EVENTS = 50_000
_EVENTS_PER_BURST = 200
_PAUSE_S = 0.1


async def snapshot_times(target: Target, orders: int, users: int) -> dict[str, float]:
    """Times of one stream that holds so many live orders while events go on coming.

    The stream is filled first, by a processor that is then stopped; what is measured restores the
    orders, takes a snapshot at its start and others as it goes. Whatever takes the processor's
    core away in a slice counts as the slice's.
    """
    servers = target.servers
    settings = topics.fresh_settings(servers, "snapshots")
    try:
        source = await topics.prepare(settings, 1)
        filled = await fill(servers, source, 1, places(orders, users, seed=3))
        async with processor(target, settings, 1) as child:
            await wait_until_committed(servers, settings.app_id, source, filled)
            await child.stop()
        async with processor(target, settings, 1) as child:
            await _flow(servers, source, users)
            await wait_until_committed(servers, settings.app_id, source, [filled[0] + _EVENTS])
            report = await child.stop()
        return {
            "snapshot_p99_ms": report["snapshot_p99_ms"],
            "snapshot_max_ms": report["snapshot_max_ms"],
            "snapshot_batches": report["batches"],
        }
    finally:
        await topics.delete(servers, settings.topic_prefix)


async def _flow(servers: str, topic: str, users: int) -> None:
    """A steady flow of events, 2,000 a second."""
    async with AIOKafkaProducer(bootstrap_servers=servers, acks="all", linger_ms=5) as producer:
        for number, (user, value) in enumerate(market(_EVENTS, users, seed=4)):
            await producer.send(topic, value, key=user.encode(), partition=0)
            if number % _EVENTS_PER_BURST == _EVENTS_PER_BURST - 1:
                await asyncio.sleep(_PAUSE_S)
