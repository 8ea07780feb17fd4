"""``scripts/bench``: throughput beside a bare copy, latency, and what streams and orders take."""

import argparse
import asyncio
import json
import logging
import statistics
import sys
from pathlib import Path

from benchmarks.idle import idle
from benchmarks.latency import latencies
from benchmarks.memory import bytes_per_live_order
from benchmarks.round_trips import round_trips
from benchmarks.snapshots import snapshot_times
from benchmarks.target import ROOT, Target
from benchmarks.throughput import Load, Speeds, one_run

_PARTS = ("throughput", "memory", "snapshots", "latency", "idle")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--only", choices=_PARTS, help="measure nothing else")
    parser.add_argument("--events", type=int, default=400_000, help="throughput: events of a run")
    parser.add_argument("--runs", type=int, default=3, help="throughput: runs, of each in turn")
    parser.add_argument("--streams", type=int, default=8, help="all but idle and snapshots")
    parser.add_argument("--orders", type=int, default=200_000, help="memory, snapshots: live ones")
    parser.add_argument("--users", type=int, default=10_000, help="all but latency and idle")
    parser.add_argument("--seed", type=int, default=1, help="throughput: of the first run")
    parser.add_argument(
        "--rates",
        type=_numbers,
        default=[10, 100, 1_000, 10_000, 30_000],
        metavar="N,N,...",
        help="latency: events a second (10,100,1000,10000,30000)",
    )
    parser.add_argument(
        "--seconds", type=float, default=30, help="latency: how long at each rate, warm (30)"
    )
    parser.add_argument(
        "--idle-streams",
        type=_numbers,
        default=[8, 64, 256],
        metavar="N,N,...",
        help="idle: how many streams (8,64,256)",
    )
    parser.add_argument("--bootstrap-servers", default="127.0.0.1:9092")
    parser.add_argument(
        "--tree", type=Path, default=ROOT, help="measure the processor of this source tree"
    )
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON")
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


async def _measure(given: argparse.Namespace) -> dict[str, float]:
    figures: dict[str, float] = {}
    target = Target(given.bootstrap_servers, given.tree.resolve())
    for part in (given.only,) if given.only else _PARTS:
        match part:
            case "throughput":
                figures |= await _throughput(target, given)
            case "memory":
                figures["bytes_per_live_order"] = await bytes_per_live_order(
                    target, given.streams, given.orders, given.users
                )
            case "snapshots":
                figures |= await snapshot_times(target, given.orders, given.users)
            case "latency":
                figures |= await latencies(target, given.streams, given.rates, given.seconds)
                figures |= await round_trips(target, given.streams)
            case "idle":
                figures |= await idle(target, given.idle_streams)
    return figures


async def _throughput(target: Target, given: argparse.Namespace) -> dict[str, float]:
    speeds: list[Speeds] = []
    for run in range(given.runs):
        load = Load(target, given.streams, given.events, given.users, given.seed + run)
        speeds.append(await one_run(load))
        _say(
            f"run {run + 1}: copy {speeds[-1].copy:,.0f} records/s, "
            f"processor {speeds[-1].processor:,.0f} events/s, "
            f"copy in large batches {speeds[-1].tuned_copy:,.0f} records/s"
        )
    ours = statistics.median(speed.processor for speed in speeds)
    copy = statistics.median(speed.copy for speed in speeds)
    tuned = statistics.median(speed.tuned_copy for speed in speeds)
    return {
        "events_per_second": round(ours),
        "copy_records_per_second": round(copy),
        "ratio_to_copy": round(ours / copy, 3),
        "tuned_copy_records_per_second": round(tuned),
        "ratio_to_tuned_copy": round(ours / tuned, 3),
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Measure, and print the figures."""
    given = _arguments()
    # Topics that were just made have no leaders for a moment, and the client tries again.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    figures = asyncio.run(_measure(given))
    if given.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name}: {value:,}")


if __name__ == "__main__":
    main()
