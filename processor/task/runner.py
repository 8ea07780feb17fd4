"""Keeping one stream's task alive for as long as the stream is ours."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from processor.errors import BrokenInvariant, LiveOrdersError, TaskLost
from processor.task.context import TaskContext
from processor.task.gate import Stopped
from processor.task.handover import require_ours
from processor.task.task import StreamTask

_log = logging.getLogger(__name__)

# How long closing may take after a task was cut short: it is bounded by itself.
_CANCEL_TIMEOUT_S = 3

# With the broker away every stream asks whether it is still ours.
_MAX_ASK_INTERVAL_MS = 1000


class StreamRunner:
    """Runs tasks for one stream, one after the other, until it is stopped.

    A task that was lost is followed by another one only after the group has confirmed that the
    stream is still ours: a process that was asleep believes it too.
    """

    def __init__(
        self,
        context: TaskContext,
        make_task: Callable[[], StreamTask],
        on_fatal: Callable[[LiveOrdersError], None],
        *,
        retry_backoff_ms: int,
        max_retry_backoff_ms: int,
    ) -> None:
        self.stream = stream = context.stream
        self._context = context
        self._gate = context.gate
        self._clock = context.clock
        self._make_task = make_task
        self._on_fatal = on_fatal
        self._retry_backoff_ms = retry_backoff_ms
        self._max_retry_backoff_ms = max_retry_backoff_ms
        self._attempt: asyncio.Task[None] | None = None
        self._job = asyncio.create_task(self._run(), name=f"stream-{stream}")

    def resume(self) -> None:
        """The stream is assigned to us."""
        self._gate.open()

    async def suspend(self, timeout_ms: int) -> None:
        """The stream may move: return when its task begins no slice any more.

        A task that cannot come to that in time is ended.
        """
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                await self._gate.shut()
        except TimeoutError:
            _log.warning("stream %d: no end of a slice in %d ms", self.stream, timeout_ms)
            if self._attempt is not None:
                self._attempt.cancel()

    def stop(self) -> None:
        """Begin to stop: commit what is written, let go."""
        self._gate.stop()

    async def stopped(self, timeout_ms: int) -> bool:
        """Wait for the end that `stop` began; cut it short after the timeout.

        Returns:
            Whether it came to its end by itself.
        """
        done, _ = await asyncio.wait([self._job], timeout=timeout_ms / 1000)
        if not done:
            _log.warning("stream %d: did not stop in %d ms", self.stream, timeout_ms)
            self._job.cancel()
            await asyncio.wait([self._job], timeout=_CANCEL_TIMEOUT_S)
        return bool(done)

    async def _run(self) -> None:
        failures = 0
        while not self._gate.stopped:
            started_ms = self._clock.monotonic_ms()
            try:
                if failures:
                    await self._wait_until_ours(failures)
                    started_ms = self._clock.monotonic_ms()
                await self._try_once()
            except Stopped:
                return
            except LiveOrdersError as error:
                self._on_fatal(error)
                return
            except TaskLost as error:
                # A task that ran for a while starts a new row of failures.
                if self._clock.monotonic_ms() - started_ms > self._max_retry_backoff_ms:
                    failures = 0
                failures += 1
                _log.warning("stream %d: %s; starting over", self.stream, error)
            except Exception as error:
                _log.exception("stream %d: unexpected error", self.stream)
                self._on_fatal(BrokenInvariant(f"stream {self.stream}: {error!r}"))
                return

    async def _try_once(self) -> None:
        self._attempt = asyncio.create_task(self._make_task().run())
        try:
            await self._attempt
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                self._attempt.cancel()
                with suppress(asyncio.CancelledError):
                    await self._attempt
                raise
            raise TaskLost("ended within a slice") from None
        finally:
            self._attempt = None

    async def _wait_until_ours(self, failures: int) -> None:
        backoff_ms = min(
            self._retry_backoff_ms * 2 ** min(failures - 1, 16), self._max_retry_backoff_ms
        )
        asked = 0
        while True:
            await self._sleep(backoff_ms)
            await self._gate.passable()
            try:
                await require_ours(self._context)
                return
            except TaskLost as error:
                if not asked:
                    _log.info("stream %d: %s", self.stream, error)
            asked += 1
            backoff_ms = max(backoff_ms, min(self._retry_backoff_ms * asked, _MAX_ASK_INTERVAL_MS))

    async def _sleep(self, duration_ms: int) -> None:
        """Sleep, but not through a stop."""
        with suppress(TimeoutError):
            async with asyncio.timeout(duration_ms / 1000):
                await self._gate.wait_stopped()
        if self._gate.stopped:
            raise Stopped
