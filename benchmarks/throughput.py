"""Events per second of one process, beside records per second of a bare copy."""

import json
import sys
from typing import NamedTuple

from benchmarks import topics
from benchmarks.copier import BARE_BATCH_BYTES, TUNED_BATCH_BYTES
from benchmarks.events import fill, market
from benchmarks.observe import seconds_of_writing, wait_until_agreed, wait_until_committed
from benchmarks.processes import child, run
from processor.bootstrap import topics_of
from processor.settings import Settings


class Load(NamedTuple):
    """What there is to do."""

    servers: str
    num_streams: int
    events: int
    users: int
    seed: int


class Speeds(NamedTuple):
    """Records per second."""

    copy: float
    tuned_copy: float
    processor: float
    processor_with_directory: float


async def one_run(load: Load) -> Speeds:
    """Copy the events, process them without the directory and with it, copy in larger batches.

    Returns:
        The speed of each, from its first record written to its last.
    """
    settings = topics.fresh_settings(load.servers, "speed", directory="off")
    prefix = settings.topic_prefix
    try:
        counts = await _fill(settings, load)
        copy_s = await _copy(settings, f"{prefix}copy", counts, BARE_BATCH_BYTES)
        without_s = await _process(settings, counts)
        with_s = await _process_with_directory(load)
        tuned_s = await _copy(settings, f"{prefix}tuned-copy", counts, TUNED_BATCH_BYTES)
    finally:
        await topics.delete(load.servers, prefix)
    return Speeds(*(load.events / took_s for took_s in (copy_s, tuned_s, without_s, with_s)))


async def _process_with_directory(load: Load) -> float:
    settings = topics.fresh_settings(load.servers, "directory", directory="on")
    try:
        return await _process(settings, await _fill(settings, load))
    finally:
        await topics.delete(load.servers, settings.topic_prefix)


async def _fill(settings: Settings, load: Load) -> list[int]:
    source = await topics.prepare(settings, load.num_streams)
    events = market(load.events, load.users, load.seed)
    return await fill(load.servers, source, load.num_streams, events)


async def _process(settings: Settings, counts: list[int]) -> float:
    """Process the events; the seconds until the last answer, and the last owner, was written."""
    servers, group, ours = settings.bootstrap_servers, settings.app_id, topics_of(settings)
    written = [ours.results]
    async with child(["benchmarks.measured"], **topics.environment(settings)) as processor:
        await wait_until_committed(servers, group, ours.events, counts)
        if settings.directory_on:
            await wait_until_agreed(servers, group, ours.events, len(counts))
            written.append(ours.directory)
        report = json.loads(await processor.stop())
    print(f"  directory {settings.directory}: {report}", file=sys.stderr)
    return await seconds_of_writing(servers, written, len(counts))


async def _copy(settings: Settings, target: str, counts: list[int], batch_bytes: int) -> float:
    """Copy the events; the seconds that it took."""
    servers, source = settings.bootstrap_servers, topics_of(settings).events
    await topics.create_plain(servers, target, len(counts))
    places = [servers, source, target, *map(str, counts)]
    return float(await run(["benchmarks.copier", str(batch_bytes), *places]))
