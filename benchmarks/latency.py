"""From handing an event to a producer until its answer is read, at several rates.

And what that takes: CPU of the processor and of the broker, and transactions.
"""

import asyncio
import json
import sys
import time
from typing import NamedTuple

from benchmarks import proc, topics
from benchmarks.plan import Plan
from benchmarks.processes import Child, processor, run
from benchmarks.target import Target
from processor.app.topics import topics_of

# Until both have started.
_AHEAD_S = 3
# Until there are as many live orders as there will be, and all has been run some thousand times.
_WARM_UP_S = 8


class Cost(NamedTuple):
    """What was used in a time; ``broker_cores`` is None where the broker is not to be seen."""

    processor_cores: float
    broker_cores: float | None
    transactions_per_s: float


async def latencies(
    target: Target, num_streams: int, rates: list[int], seconds: float
) -> dict[str, float]:
    """Place to answer, at each rate in events a second, for so many seconds after a warm-up."""
    figures: dict[str, float] = {}
    for rate in rates:
        found = await _at_rate(target, num_streams, rate, seconds)
        print(f"  {rate:,} events/s: {found}", file=sys.stderr, flush=True)
        figures |= {f"{name}_at_{rate}": value for name, value in found.items()}
    return figures


async def _at_rate(target: Target, num_streams: int, rate: int, seconds: float) -> dict[str, float]:
    settings = topics.fresh_settings(target.servers, "latency")
    ours = topics_of(settings)
    try:
        await topics.prepare(settings, num_streams)
        async with processor(target, settings, num_streams) as child:
            await child.running()
            begin_s = time.monotonic() + _AHEAD_S
            from_s = begin_s + _WARM_UP_S
            times = (round(moment * 1e9) for moment in (begin_s, from_s, from_s + seconds))
            plan = Plan(target.servers, ours.events, ours.results, num_streams, rate, *times)
            sent, read, cost = await asyncio.gather(
                run(["benchmarks.load", plan.dump()]),
                run(["benchmarks.answers", plan.dump()]),
                _cost(target, child, plan),
            )
            await child.stop()
    finally:
        await topics.delete(target.servers, settings.topic_prefix)
    return _figures(json.loads(sent), json.loads(read), cost)


def _figures(sent: dict[str, float], read: dict[str, float], cost: Cost) -> dict[str, float]:
    if sent["places"] != read["places"]:
        raise SystemExit(f"{sent['places']} places were sent, {read['places']} were applied")
    figures = {f"place_to_answer_{name}": round(read[name], 1) for name in ("p50_ms", "p99_ms")}
    figures["processor_cores"] = round(cost.processor_cores, 3)
    if cost.broker_cores is not None:
        figures["broker_cores"] = round(cost.broker_cores, 3)
    figures["transactions_per_second"] = round(cost.transactions_per_s, 1)
    # The load itself was late by so much: with much more than 10 ms the machine is too busy.
    figures["load_late_p99_ms"] = round(sent["late_p99_ms"], 1)
    return figures


async def _cost(target: Target, child: Child, plan: Plan) -> Cost:
    """What is used while the load is measured."""
    broker = proc.broker_pid(target.servers)

    async def used() -> tuple[float, float, float, float]:
        broker_s = proc.cpu_s(broker) if broker is not None else 0.0
        now_s, cpu_s = time.monotonic(), child.cpu_s
        return now_s, cpu_s, broker_s, (await child.report())["transactions"]

    await asyncio.sleep(plan.from_ns / 1e9 - time.monotonic())
    before = await used()
    await asyncio.sleep(plan.until_ns / 1e9 - time.monotonic())
    after = await used()
    took_s, cpu_s, broker_s, transactions = (
        end - begin for begin, end in zip(before, after, strict=True)
    )
    return Cost(
        cpu_s / took_s,
        broker_s / took_s if broker is not None else None,
        transactions / took_s,
    )
