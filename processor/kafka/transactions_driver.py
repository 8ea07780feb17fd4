"""Transaction machines on an event loop: sends what they ask for, and tells them what happened."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from aiokafka.errors import KafkaError, NodeNotReadyError, StaleMetadata

from processor.kafka.transactions.acquire import Acquirement, Acquisition
from processor.kafka.transactions.outcomes import Outcome
from processor.kafka.transactions.requests import Request
from processor.kafka.transactions.responses import Response
from processor.kafka.transactions.round import Round, Settlement
from processor.kafka.transactions.session import TransactionSession
from processor.kafka.transactions.states import State

_NOT_SENT = (NodeNotReadyError, StaleMetadata)
# A connection that is closed cancels, or fails, whoever waits for an answer on it.
_LOST = (KafkaError, OSError, TimeoutError, asyncio.CancelledError)

Ask = Callable[[Request], Awaitable[Response]]


class _Machine(Protocol):
    """The common part of a session and an acquisition."""

    outcome: Any

    @property
    def next_time_ms(self) -> float: ...

    def take_requests(self, now_ms: float) -> list[Request]: ...

    def receive(self, request: Request, response: Response, now_ms: float) -> None: ...

    def lost(self, request: Request, now_ms: float) -> None: ...

    def unsent(self, request: Request, now_ms: float) -> None: ...


class _Driver:
    """Drives one machine until it is closed."""

    def __init__(self, machine: _Machine, ask: Ask) -> None:
        self._machine = machine
        self._ask = ask
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._waiter: asyncio.Future[None] | None = None

    def now_ms(self) -> float:
        """The loop's time."""
        return self._loop.time() * 1000

    async def outcome(self) -> None:
        """Wait until the machine has an outcome.

        Raises:
            Exception: a request failed in a way that is no loss, such as one that cannot be
                encoded.
        """
        self._waiter = self._loop.create_future()
        self.pump()
        await self._waiter

    def pump(self) -> None:
        """Send what the machine asks for, and look again when it says."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for request in self._machine.take_requests(self.now_ms()):
            task = self._loop.create_task(self._exchange(request))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if not math.isinf(next_time_ms := self._machine.next_time_ms):
            self._timer = self._loop.call_at(next_time_ms / 1000, self.pump)
        waiter = self._waiter
        if waiter is not None and not waiter.done() and self._machine.outcome is not None:
            waiter.set_result(None)

    async def _exchange(self, request: Request) -> None:
        try:
            response = await self._ask(request)
        except _NOT_SENT:
            self._machine.unsent(request, self.now_ms())
        except _LOST:
            if _is_cancelled():
                raise
            self._machine.lost(request, self.now_ms())
        except Exception as error:
            if not self._fail(error):
                raise
        else:
            self._machine.receive(request, response, self.now_ms())
        self.pump()

    def _fail(self, error: Exception) -> bool:
        if self._waiter is None or self._waiter.done():
            return False
        self._waiter.set_exception(error)
        return True

    async def close(self) -> None:
        """Send nothing more, and forget what is on its way."""
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)


def _is_cancelled() -> bool:
    """Whether this task is told to end, and not only what it waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def acquire(ask: Ask, transactional_id: str, *, timeout_ms: int) -> Acquirement:
    """Take over a transactional id; bound it from outside.

    Args:
        ask: sends a request.
        transactional_id: the id.
        timeout_ms: the transaction timeout to ask for; up to two less may be asked for.
    """
    now_ms = asyncio.get_running_loop().time() * 1000
    acquisition = Acquisition(transactional_id, timeout_ms=timeout_ms, now_ms=now_ms)
    driver = _Driver(acquisition, ask)
    try:
        await driver.outcome()
    finally:
        await driver.close()
    assert acquisition.outcome is not None
    return acquisition.outcome


class TransactionDriver:
    """Commits the rounds of one session, one after the other."""

    def __init__(self, session: TransactionSession, ask: Ask) -> None:
        """Begin.

        Args:
            session: a session that is READY; the caller may tell it of leaders.
            ask: sends a request.
        """
        self._session = session
        self._driver = _Driver(session, ask)

    async def commit(self, work: Round | Settlement) -> Outcome:
        """Do a round, or settle, and say what became of it.

        A call that is cancelled leaves the round under way: close the driver then.

        Raises:
            RuntimeError: a round is under way.
        """
        session = self._session
        if session.state is State.DEAD and session.death is not None:
            return session.death
        session.start(work, self._driver.now_ms())
        await self._driver.outcome()
        assert session.outcome is not None
        return session.outcome

    async def close(self) -> None:
        """Send nothing more. A transaction that is open is left to the next owner of the id."""
        await self._driver.close()
