"""Events per second of one process, beside records per second of a bare copy."""

import json
import sys
from typing import NamedTuple

from benchmarks import topics
from benchmarks.copier import BARE_BATCH_BYTES, TUNED_BATCH_BYTES
from benchmarks.events import fill, market
from benchmarks.observe import seconds_of_writing, wait_until_committed
from benchmarks.processes import child, run


class Speeds(NamedTuple):
    """Records per second."""

    copy: float
    tuned_copy: float
    processor: float


async def one_run(servers: str, num_streams: int, events: int, users: int, seed: int) -> Speeds:
    """Fill fresh topics, copy the events, process them, and copy them in larger batches.

    Returns:
        The speed of each, from its first record written to its last.
    """
    settings = topics.fresh_settings(servers, "speed")
    prefix = settings.topic_prefix
    try:
        source = await topics.prepare(settings, num_streams)
        counts = await fill(servers, source, num_streams, market(events, users, seed))
        copy_s = await _copy(servers, source, f"{prefix}copy", counts, BARE_BATCH_BYTES)
        async with child(["benchmarks.measured"], **topics.environment(settings)) as processor:
            await wait_until_committed(servers, settings.app_id, source, counts)
            report = json.loads(await processor.stop())
        print(f"  {report}", file=sys.stderr)
        ours_s = await seconds_of_writing(servers, f"{prefix}results", num_streams)
        tuned_s = await _copy(servers, source, f"{prefix}tuned-copy", counts, TUNED_BATCH_BYTES)
        return Speeds(events / copy_s, events / tuned_s, events / ours_s)
    finally:
        await topics.delete(servers, prefix)


async def _copy(
    servers: str, source: str, target: str, counts: list[int], batch_bytes: int
) -> float:
    """Copy the events; the seconds that it took."""
    await topics.create_plain(servers, target, len(counts))
    return float(
        await run(
            ["benchmarks.copier", str(batch_bytes), servers, source, target, *map(str, counts)]
        )
    )
