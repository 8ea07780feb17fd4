"""Events per second of one process, beside records per second of a bare copy."""

import json
import sys
from typing import NamedTuple

from benchmarks import topics
from benchmarks.events import fill, market
from benchmarks.observe import seconds_of_writing, wait_until_committed
from benchmarks.processes import child, run


class Speeds(NamedTuple):
    """Records per second."""

    copy: float
    processor: float


async def one_run(servers: str, num_streams: int, events: int, users: int, seed: int) -> Speeds:
    """Fill fresh topics, copy the events, then process them.

    Returns:
        The speed of each, from its first record written to its last.
    """
    settings = topics.fresh_settings(servers, "speed")
    prefix = settings.topic_prefix
    try:
        source = await topics.prepare(settings, num_streams)
        await topics.create_plain(servers, f"{prefix}copy", num_streams)
        counts = await fill(servers, source, num_streams, market(events, users, seed))
        copy_s = float(
            await run(
                ["benchmarks.copier", servers, source, f"{prefix}copy", *(str(n) for n in counts)]
            )
        )
        async with child(["benchmarks.measured"], **topics.environment(settings)) as processor:
            await wait_until_committed(servers, settings.app_id, source, counts)
            report = json.loads(await processor.stop())
        print(f"  {report}", file=sys.stderr)
        ours_s = await seconds_of_writing(servers, f"{prefix}results", num_streams)
        return Speeds(events / copy_s, events / ours_s)
    finally:
        await topics.delete(servers, prefix)
