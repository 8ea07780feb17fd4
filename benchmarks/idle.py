"""What a processor takes that has nothing to do, and how long it takes to start."""

import asyncio
import sys
import time

from benchmarks import proc, topics
from benchmarks.processes import Child, processor
from benchmarks.target import Target
from processor.settings import Settings

# What follows the start: first snapshots, connections that are not used any more.
_SETTLE_S = 5
_WINDOW_S = 15
_MIB = 1024 * 1024


async def idle(target: Target, stream_counts: list[int]) -> dict[str, float]:
    """Descriptors, memory, CPU and start-up of so many streams without events."""
    figures: dict[str, float] = {}
    for num_streams in stream_counts:
        found = await _of_streams(target, num_streams)
        print(f"  {num_streams} idle streams: {found}", file=sys.stderr, flush=True)
        figures |= {f"idle_{num_streams}_{name}": value for name, value in found.items()}
    return figures


async def _of_streams(target: Target, num_streams: int) -> dict[str, float]:
    """Start on new topics, measure, stop; start again, which takes all streams over."""
    settings = topics.fresh_settings(target.servers, "idle")
    try:
        await topics.prepare(settings, num_streams)
        first_s, figures = await _start(target, settings, num_streams)
        second_s, _ = await _start(target, settings, num_streams, look=False)
    finally:
        await topics.delete(target.servers, settings.topic_prefix)
    return {**figures, "first_start_s": first_s, "take_over_s": second_s}


async def _start(
    target: Target, settings: Settings, num_streams: int, *, look: bool = True
) -> tuple[float, dict[str, float]]:
    """From the start of the process until all streams run, in seconds; what it takes then."""
    started_s = time.monotonic()
    async with processor(target, settings, num_streams) as child:
        took_s = await child.running() - started_s
        figures = await _look(target, child) if look else {}
        await child.stop()
    return round(took_s, 2), figures


async def _look(target: Target, child: Child) -> dict[str, float]:
    await asyncio.sleep(_SETTLE_S)
    broker = proc.broker_pid(target.servers)
    began_s, cpu_s = time.monotonic(), child.cpu_s
    broker_s = proc.cpu_s(broker) if broker is not None else 0.0
    await asyncio.sleep(_WINDOW_S)
    share = 100 / (time.monotonic() - began_s)
    figures = {
        "descriptors": child.descriptors,
        "resident_mib": round(child.resident_bytes / _MIB),
        "peak_mib": round(child.peak_bytes / _MIB),
        "cpu_percent": round((child.cpu_s - cpu_s) * share, 1),
    }
    if broker is not None:
        figures["broker_cpu_percent"] = round((proc.cpu_s(broker) - broker_s) * share, 1)
    return figures
