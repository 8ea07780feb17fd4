"""The tasks of a process: one per stream that the group has assigned to it."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from processor.errors import BrokenInvariant, LiveOrdersError, UsageError
from processor.task.committer import Committer
from processor.task.context import TaskContext
from processor.task.gate import Gate
from processor.task.hanging_watch import HangingWatch
from processor.task.ports import Group, Membership
from processor.task.runner import StreamRunner
from processor.task.shortcut import Shortcuts
from processor.task.task import StreamTask
from processor.task.topic_watch import TopicWatch

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SupervisorSettings:
    """How long things may take, and how failures are spaced."""

    # A rebalance waits for us no longer than the group's rebalance timeout: stay below it.
    suspend_timeout_ms: int = 8_000
    # Together under the 10 s that a process has between SIGTERM and SIGKILL.
    stop_timeout_ms: int = 4_000
    leave_timeout_ms: int = 2_000
    retry_backoff_ms: int = 200
    max_retry_backoff_ms: int = 5_000


class Supervisor:
    """Starts, suspends, resumes and stops tasks as the group says."""

    def __init__(
        self,
        group: Group,
        committer: Committer,
        shortcuts: Shortcuts,
        topics: TopicWatch,
        hanging: HangingWatch,
        make_context: Callable[[int, Gate], TaskContext],
        num_streams: int,
        settings: SupervisorSettings,
    ) -> None:
        self._group = group
        self._committer = committer
        self._shortcuts = shortcuts
        self._topics = topics
        self._hanging = hanging
        self._make_context = make_context
        self._num_streams = num_streams
        self._settings = settings
        self._runners: dict[int, StreamRunner] = {}
        self._leaving: dict[asyncio.Task[None], int] = {}
        self._cut_short: set[int] = set()
        self._fatal: LiveOrdersError | None = None
        self._end = asyncio.Event()

    @property
    def unfinished(self) -> list[int]:
        """The streams whose tasks have not ended, or had to be cut short by the end of `run`."""
        return sorted({*self._runners, *self._leaving.values(), *self._cut_short})

    def stop(self) -> None:
        """Begin to stop: tasks finish their slices, then the process leaves the group."""
        self._end.set()

    def fail(self, error: LiveOrdersError) -> None:
        """End the process because of an error; the first one is what `run` raises."""
        if self._fatal is None:
            self._fatal = error
        self._end.set()

    async def run(self) -> None:
        """Process until `stop`, or until an error that the process cannot live with.

        Raises:
            LiveOrdersError: that error.
        """
        stopped = asyncio.Event()
        committing = asyncio.create_task(self._committer.run())
        membership = asyncio.create_task(self._group.run(self, stopped.wait()))
        watching = asyncio.create_task(self._watch_topics())
        settling = asyncio.create_task(self._hanging.run(lambda: self._runners))
        ending = asyncio.create_task(self._end.wait())
        try:
            await asyncio.wait(
                [membership, committing, watching, settling, ending],
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            ending.cancel()
            watching.cancel()
            settling.cancel()
            await self._ended(watching, "the watch over topics")
            await self._ended(settling, "the watch over what hangs")
            await self._stop_all()
            committing.cancel()
            await self._ended(committing, "the committer")
            stopped.set()
            await self._left(membership)
        if self._fatal is not None:
            raise self._fatal

    async def _watch_topics(self) -> None:
        self.fail(await self._topics.run())

    async def on_revoked(self) -> None:
        """Part of `GroupListener`: bring every task to where nothing is open."""
        timeout_ms = self._settings.suspend_timeout_ms
        until_s = asyncio.get_running_loop().time() + timeout_ms / 1000
        self._shortcuts.clear()
        await asyncio.gather(*(one.suspend(timeout_ms) for one in self._runners.values()))
        try:
            async with asyncio.timeout_at(until_s):
                await self._committer.drained()
        except TimeoutError:
            _log.warning("no end of a transaction in %d ms; giving it up", timeout_ms)
            self._committer.cut()

    def on_assigned(self, streams: frozenset[int], membership: Membership) -> None:
        """Part of `GroupListener`: go on with what stayed, let go of what went, start the rest."""
        if self._end.is_set():
            return
        if streams and max(streams) >= self._num_streams:
            self.fail(
                UsageError(
                    f"the events topic has grown from {self._num_streams} partitions, so users "
                    "would change streams: go back to topics with the old number of partitions"
                )
            )
            return
        self._shortcuts.clear()
        self._shortcuts.gather(streams)
        self._committer.membership = membership
        for stream in set(self._runners) - streams:
            self._let_go(self._runners.pop(stream))
        for stream in sorted(streams):
            if stream not in self._runners:
                self._runners[stream] = self._start(stream)
            self._runners[stream].resume()
        _log.info("streams assigned: %s", ", ".join(map(str, sorted(streams))) or "none")

    def _start(self, stream: int) -> StreamRunner:
        gate = Gate()
        context = self._make_context(stream, gate)
        return StreamRunner(
            context,
            lambda: StreamTask(context),
            self.fail,
            retry_backoff_ms=self._settings.retry_backoff_ms,
            max_retry_backoff_ms=self._settings.max_retry_backoff_ms,
        )

    def _let_go(self, runner: StreamRunner) -> None:
        runner.stop()
        leaving = asyncio.create_task(self._see_off(runner))
        self._leaving[leaving] = runner.stream
        leaving.add_done_callback(self._leaving.pop)

    async def _see_off(self, runner: StreamRunner) -> None:
        if not await runner.stopped(self._settings.stop_timeout_ms):
            self._cut_short.add(runner.stream)

    async def _stop_all(self) -> None:
        self._end.set()
        self._cut_short.clear()
        for runner in self._runners.values():
            self._let_go(runner)
        self._runners.clear()
        if self._leaving:
            await asyncio.wait(self._leaving)

    async def _ended(self, job: asyncio.Task[None], what: str) -> None:
        try:
            await job
        except asyncio.CancelledError:
            pass
        except LiveOrdersError as error:
            self.fail(error)
        except Exception as error:
            _log.exception("%s failed", what)
            self.fail(BrokenInvariant(f"{what} failed: {error!r}"))

    async def _left(self, membership: asyncio.Task[None]) -> None:
        done, _ = await asyncio.wait([membership], timeout=self._settings.leave_timeout_ms / 1000)
        if not done:
            _log.warning("could not leave the group in %d ms", self._settings.leave_timeout_ms)
            membership.cancel()
            return
        try:
            await membership
        except LiveOrdersError as error:
            self.fail(error)
