"""The processor as it runs, with its times reported at the end as one line of JSON.

Run as ``python -m benchmarks.measured`` with the settings in the environment, end with SIGTERM.
"""

import asyncio
import json
import logging
import signal
import sys
import time

import uvloop

from processor.bootstrap import open_processor
from processor.runtime.lifecycle import TaskState
from processor.settings import load_settings


class Recorder:
    """An `Observer` that keeps the time in snapshot code of every batch."""

    def __init__(self) -> None:
        self.snapshot_ns: list[int] = []
        self.commit_ns: list[int] = []
        self.events = 0

    def on_state(self, stream: int, state: TaskState) -> None:
        """Part of `Observer`."""

    def on_commit(self, stream: int, events: int, snapshot_ns: int, commit_ns: int) -> None:
        """Part of `Observer`."""
        self.events += events
        self.snapshot_ns.append(snapshot_ns)
        self.commit_ns.append(commit_ns)

    def report(self) -> dict[str, float]:
        """The figures, in milliseconds."""
        return {
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


async def _main() -> None:
    recorder = Recorder()
    async with open_processor(load_settings(), recorder) as supervisor:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, supervisor.stop)
        await supervisor.run()
    sys.stdout.write(json.dumps(recorder.report()) + "\n")


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    uvloop.run(_main())
