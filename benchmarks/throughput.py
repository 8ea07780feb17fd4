"""Events per second of one process, beside records per second of a bare copy."""

import sys
from typing import NamedTuple

from benchmarks import topics
from benchmarks.copier import BARE_BATCH_BYTES, TUNED_BATCH_BYTES
from benchmarks.events import fill, market
from benchmarks.observe import seconds_of_writing, wait_until_agreed, wait_until_committed
from benchmarks.processes import processor, run
from benchmarks.target import Target
from processor.app.topics import topics_of
from processor.settings import Settings


class Load(NamedTuple):
    """What there is to do."""

    target: Target
    num_streams: int
    events: int
    users: int
    seed: int


class Speeds(NamedTuple):
    """Records per second."""

    copy: float
    tuned_copy: float
    processor: float


async def one_run(load: Load) -> Speeds:
    """Copy the events, process them, copy them in larger batches.

    Returns:
        The speed of each, from its first record written to its last.
    """
    settings = topics.fresh_settings(load.target.servers, "speed")
    prefix = settings.topic_prefix
    try:
        source = await topics.prepare(settings, load.num_streams)
        events = market(load.events, load.users, load.seed)
        counts = await fill(load.target.servers, source, load.num_streams, events)
        copy_s = await _copy(settings, f"{prefix}copy", counts, BARE_BATCH_BYTES)
        process_s = await _process(load.target, settings, counts)
        tuned_s = await _copy(settings, f"{prefix}tuned-copy", counts, TUNED_BATCH_BYTES)
    finally:
        await topics.delete(load.target.servers, prefix)
    return Speeds(*(load.events / took_s for took_s in (copy_s, tuned_s, process_s)))


async def _process(target: Target, settings: Settings, counts: list[int]) -> float:
    """Process the events; the seconds until the last answer, and the last owner, was written."""
    servers, ours = target.servers, topics_of(settings)
    async with processor(target, settings, len(counts)) as child:
        await wait_until_committed(servers, settings.app_id, ours.events, counts)
        await wait_until_agreed(servers, ours.progress, counts)
        report = await child.stop()
    print(f"  {report}", file=sys.stderr)
    return await seconds_of_writing(servers, [ours.results, ours.directory], len(counts))


async def _copy(settings: Settings, target: str, counts: list[int], batch_bytes: int) -> float:
    """Copy the events; the seconds that it took."""
    servers, source = settings.bootstrap_servers, topics_of(settings).events
    await topics.create_plain(servers, target, len(counts))
    places = [servers, source, target, *map(str, counts)]
    return float(await run(["benchmarks.copier", str(batch_bytes), *places]))
