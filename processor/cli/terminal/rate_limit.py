"""Keeping a rate."""

import asyncio

from processor.app.produce import EventSink


class Pace:
    """So many a second, from the first one on; what was late is not made up for in a burst."""

    def __init__(self, per_second: float, *, max_burst_s: float = 0.1) -> None:
        self._interval_s = 1 / per_second
        self._max_burst_s = max_burst_s
        self._due_s: float | None = None

    def wait_s(self, now_s: float) -> float:
        """How long to wait before the next one; counts it as done then."""
        due_s = now_s if self._due_s is None else max(self._due_s, now_s - self._max_burst_s)
        self._due_s = due_s + self._interval_s
        return max(due_s - now_s, 0)


async def keep(pace: Pace, producer: EventSink) -> None:
    """Wait for the next event's turn, with those before it on their way."""
    wait_s = pace.wait_s(asyncio.get_running_loop().time())
    if wait_s > 0:
        await producer.push()
        await asyncio.sleep(wait_s)
