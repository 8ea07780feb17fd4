"""How long snapshots of a long list hold up a batch."""

import json

from benchmarks import topics
from benchmarks.events import fill, market, places
from benchmarks.observe import wait_until_committed
from benchmarks.processes import child

_PARTS = 150
_PART_EVENTS = 1_000


async def snapshot_times(servers: str, orders: int, users: int) -> dict[str, float]:
    """Times of one stream that holds so many live orders while events go on coming.

    The stream is filled first, by a processor that is then stopped; what is measured restores the
    orders, takes a snapshot at its start and others as it goes.
    """
    settings = topics.fresh_settings(servers, "snapshots")
    try:
        source = await topics.prepare(settings, 1)
        filled = await fill(servers, source, 1, places(orders, users, seed=3))
        async with child(["benchmarks.measured"], **topics.environment(settings)) as processor:
            await wait_until_committed(servers, settings.app_id, source, filled)
            await processor.stop()
        async with child(["benchmarks.measured"], **topics.environment(settings)) as processor:
            for part in range(_PARTS):
                more = await fill(servers, source, 1, market(_PART_EVENTS, users, seed=10 + part))
                filled = [had + got for had, got in zip(filled, more, strict=True)]
                await wait_until_committed(servers, settings.app_id, source, filled)
            report = json.loads(await processor.stop())
        return {
            "snapshot_p99_ms": report["snapshot_p99_ms"],
            "snapshot_max_ms": report["snapshot_max_ms"],
            "snapshot_batches": report["batches"],
        }
    finally:
        await topics.delete(servers, settings.topic_prefix)
