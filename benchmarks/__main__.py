"""``scripts/bench``: throughput beside a bare copy, memory per live order, time in snapshots."""

import argparse
import asyncio
import json
import logging
import statistics
import sys

from benchmarks.latency import latencies
from benchmarks.memory import bytes_per_live_order
from benchmarks.snapshots import snapshot_times
from benchmarks.throughput import Load, one_run


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--events", type=int, default=400_000, help="events of a run")
    parser.add_argument("--runs", type=int, default=3, help="runs of each, interleaved")
    parser.add_argument("--streams", type=int, default=8)
    parser.add_argument("--orders", type=int, default=200_000, help="live orders, for memory")
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bootstrap-servers", default="127.0.0.1:9092")
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON")
    parser.add_argument("--only", choices=("throughput", "memory", "snapshots", "latency"))
    return parser.parse_args()


async def _measure(given: argparse.Namespace) -> dict[str, float]:
    figures: dict[str, float] = {}
    servers = given.bootstrap_servers
    if given.only in (None, "throughput"):
        speeds = []
        for run in range(given.runs):
            speeds.append(
                await one_run(
                    Load(servers, given.streams, given.events, given.users, given.seed + run)
                )
            )
            _say(
                f"run {run + 1}: copy {speeds[-1].copy:,.0f} records/s, "
                f"directory off {speeds[-1].processor:,.0f} events/s, "
                f"on {speeds[-1].processor_with_directory:,.0f} events/s, "
                f"copy in large batches {speeds[-1].tuned_copy:,.0f} records/s"
            )
        ours = statistics.median(speed.processor for speed in speeds)
        copy = statistics.median(speed.copy for speed in speeds)
        figures["events_per_second"] = round(ours)
        figures["copy_records_per_second"] = round(copy)
        figures["ratio_to_copy"] = round(ours / copy, 3)
        tuned = statistics.median(speed.tuned_copy for speed in speeds)
        figures["tuned_copy_records_per_second"] = round(tuned)
        figures["ratio_to_tuned_copy"] = round(ours / tuned, 3)
        with_directory = statistics.median(speed.processor_with_directory for speed in speeds)
        figures["events_per_second_with_directory"] = round(with_directory)
        figures["ratio_on_to_off"] = round(with_directory / ours, 3)
    if given.only in (None, "memory"):
        figures["bytes_per_live_order"] = await bytes_per_live_order(
            servers, given.streams, given.orders, given.users
        )
    if given.only in (None, "snapshots"):
        figures |= await snapshot_times(servers, given.orders, given.users)
    if given.only in (None, "latency"):
        figures |= await latencies(servers, given.streams)
    return figures


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
