"""Resident bytes per live order."""

from benchmarks import topics
from benchmarks.events import fill, places
from benchmarks.observe import wait_until_committed
from benchmarks.processes import processor
from benchmarks.target import Target


async def bytes_per_live_order(target: Target, num_streams: int, orders: int, users: int) -> int:
    """The resident set with so many live orders less that with none, per order.

    The processor runs before the first event is there, and takes the orders as they come.
    """
    servers = target.servers
    settings = topics.fresh_settings(servers, "memory")
    try:
        source = await topics.prepare(settings, num_streams)
        async with processor(target, settings, num_streams) as child:
            await child.running()
            empty_bytes = child.resident_bytes
            counts = await fill(servers, source, num_streams, places(orders, users, seed=2))
            await wait_until_committed(servers, settings.app_id, source, counts)
            full_bytes = child.resident_bytes
            await child.stop()
        return round((full_bytes - empty_bytes) / orders)
    finally:
        await topics.delete(servers, settings.topic_prefix)
