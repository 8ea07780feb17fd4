"""Deleting what was read of a task's queues."""

import asyncio
import logging
from collections.abc import Mapping

from processor.errors import LiveOrdersError, TaskLost
from processor.reader.ports import Clock
from processor.task.ports import Broker

_log = logging.getLogger(__name__)

_INTERVAL_MS = 10_000
_LONGEST_MS = 640_000


class QueuePurge:
    """Deletes the records before the committed offsets of queues, now and then.

    It runs beside the stream and never holds it up. One that fails is said and tried again: it
    costs space, and nothing else.
    """

    def __init__(self, broker: Broker, stream: int, clock: Clock) -> None:
        self._broker = broker
        self._stream = stream
        self._clock = clock
        self._committed: Mapping[str, int] = {}
        self._purged: dict[str, int] = {}
        self._wait_ms = _INTERVAL_MS
        self._next_ms = clock.monotonic_ms() + _INTERVAL_MS
        self._job: asyncio.Task[None] | None = None

    def note(self, committed: Mapping[str, int]) -> None:
        """All before these offsets was read for good, by topic."""
        self._committed = committed

    def go_on(self) -> None:
        """Begin to delete if it is time, and there is something."""
        now_ms = self._clock.monotonic_ms()
        idle = self._job is None or self._job.done()
        if idle and now_ms >= self._next_ms and self._committed != self._purged:
            self._job = asyncio.create_task(self._delete(dict(self._committed)))

    async def _delete(self, committed: dict[str, int]) -> None:
        failed: list[TaskLost | LiveOrdersError] = []
        for topic, offset in committed.items():
            if offset > self._purged.get(topic, 0):
                try:
                    await self._broker.purge(topic, self._stream, offset)
                    self._purged[topic] = offset
                except (TaskLost, LiveOrdersError) as error:
                    failed.append(error)
        # What cannot be mended soon should not fill the log.
        wait_ms = self._wait_ms if failed else _INTERVAL_MS
        self._wait_ms = min(2 * wait_ms, _LONGEST_MS) if failed else _INTERVAL_MS
        self._next_ms = self._clock.monotonic_ms() + wait_ms
        for why in failed:
            _log.warning("%s; trying again in %d s", why, wait_ms // 1000)

    async def close(self) -> None:
        """End a deletion that is on. Never raises."""
        if self._job is not None:
            self._job.cancel()
            await asyncio.wait([self._job])
