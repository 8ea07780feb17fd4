"""The processor as it runs, with figures about itself, each time one line of JSON.

Run as ``python measured.py STREAMS`` with the settings in the environment. It tells when so many
streams run for the first time, gives its figures on SIGUSR1, and again when SIGTERM ends it.
Nothing of `benchmarks` is imported here: the package `processor` may be another tree's.
"""

import asyncio
import json
import logging
import signal
import sys
import time

import uvloop

from processor.app.run import open_processor
from processor.settings import load_settings
from processor.task.lifecycle import TaskState


class Recorder:
    """An `Observer` that counts transactions, and keeps the times of every batch.

    The streams of a round are told of it in one go, with the same duration to the nanosecond, so
    reports in a row with the same duration are of one transaction.
    """

    def __init__(self, num_streams: int) -> None:
        self.snapshot_ns: list[int] = []
        self.commit_ns: list[int] = []
        self.events = 0
        self.transactions = 0
        self._num_streams = num_streams
        self._running: set[int] = set()
        self._told = False

    def on_state(self, stream: int, state: TaskState) -> None:
        """Part of `Observer`."""
        if state is not TaskState.RUNNING:
            self._running.discard(stream)
            return
        self._running.add(stream)
        if len(self._running) == self._num_streams and not self._told:
            self._told = True
            tell({"running_ns": time.monotonic_ns()})

    def on_commit(self, stream: int, events: int, snapshot_ns: int, commit_ns: int) -> None:
        """Part of `Observer`."""
        if not self.commit_ns or commit_ns != self.commit_ns[-1]:
            self.transactions += 1
        self.events += events
        self.snapshot_ns.append(snapshot_ns)
        self.commit_ns.append(commit_ns)

    def report(self) -> dict[str, float]:
        """The figures, in milliseconds."""
        return {
            "transactions": self.transactions,
            "batches": len(self.snapshot_ns),
            "events_per_batch": round(self.events / max(len(self.snapshot_ns), 1), 1),
            "snapshot_p99_ms": percentile_ms(self.snapshot_ns, 0.99),
            "snapshot_max_ms": percentile_ms(self.snapshot_ns, 1.0),
            "cpu_s": round(time.process_time(), 1),
            "commit_p50_ms": percentile_ms(self.commit_ns, 0.5),
            "commit_p99_ms": percentile_ms(self.commit_ns, 0.99),
        }


def percentile_ms(values_ns: list[int], share: float) -> float:
    """The value that ``share`` of all are not above, in milliseconds."""
    if not values_ns:
        return 0.0
    ordered = sorted(values_ns)
    return round(ordered[min(int(len(ordered) * share), len(ordered) - 1)] / 1e6, 3)


def tell(figures: dict[str, float]) -> None:
    """Write a line to whoever started us."""
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()


async def _main(num_streams: int) -> None:
    recorder = Recorder(num_streams)
    async with open_processor(load_settings(), recorder) as supervisor:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, supervisor.stop)
        loop.add_signal_handler(signal.SIGUSR1, lambda: tell(recorder.report()))
        await supervisor.run()
    tell(recorder.report())


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    uvloop.run(_main(int(sys.argv[1])))
