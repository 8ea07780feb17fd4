"""The shell around the transaction machines: what it sends, when, and what it makes of errors."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    NodeNotReadyError,
    RequestTimedOutError,
    StaleMetadata,
)

from processor.kafka.transactions.acquire import Acquired
from processor.kafka.transactions.outcomes import Committed, Dead, Fate
from processor.kafka.transactions.requests import Describe, End, Produce, Request
from processor.kafka.transactions.responses import Described, Response
from processor.kafka.transactions.values import Ending, Producer, TransactionVersion
from processor.kafka.transactions_driver import TransactionDriver, acquire
from tests.unit.kafka.dialogue import COORDINATOR, good, refusal
from tests.unit.kafka.sessions import V1, V2, round_of, session_of

Script = Callable[[Request, int], Awaitable[Response | None]]


class Brokers:
    """Content brokers, but for what a script says about a request and the number of its try."""

    def __init__(self, script: Script | None = None) -> None:
        self.asked: list[Request] = []
        self._script = script

    async def ask(self, request: Request) -> Response:
        """Answer."""
        self.asked.append(request)
        await asyncio.sleep(0)
        tries = sum(type(request) is type(asked) for asked in self.asked)
        answer = await self._script(request, tries) if self._script else None
        return answer or good(request)

    def count(self, kind: type[Request]) -> int:
        """How many requests of a kind were sent."""
        return sum(isinstance(request, kind) for request in self.asked)


@pytest.mark.parametrize("version", TransactionVersion)
async def test_rounds_are_committed_one_after_the_other(version: TransactionVersion) -> None:
    brokers = Brokers()
    driver = TransactionDriver(session_of(version), brokers.ask)
    for _ in range(3):
        assert isinstance(await driver.commit(round_of()), Committed)
    await driver.close()
    assert brokers.count(End) == 3


@pytest.mark.parametrize(
    ("error", "sent"),
    [
        (NodeNotReadyError(), False),
        (StaleMetadata(), False),
        (KafkaConnectionError(), True),
        (RequestTimedOutError(), True),
        (OSError(), True),
        (TimeoutError(), True),
        (asyncio.CancelledError(), True),
    ],
)
async def test_an_end_of_version_1_is_repeated_if_the_error_says_that_it_was_not_sent(
    error: BaseException, *, sent: bool
) -> None:
    async def script(request: Request, tries: int) -> Response | None:
        if isinstance(request, End) and tries == 1:
            raise error
        return None

    brokers = Brokers(script)
    driver = TransactionDriver(session_of(V1), brokers.ask)
    assert isinstance(await driver.commit(round_of()), Committed)
    await driver.close()
    assert (brokers.count(End), brokers.count(Describe)) == ((1, 1) if sent else (2, 0))


async def test_what_is_to_be_asked_again_is_asked_when_its_time_has_come() -> None:
    async def script(request: Request, tries: int) -> Response | None:
        return refusal(request, 51) if isinstance(request, Produce) and tries < 3 else None

    brokers = Brokers(script)
    driver = TransactionDriver(session_of(V2), brokers.ask)
    begun = asyncio.get_running_loop().time()
    assert isinstance(await driver.commit(round_of()), Committed)
    await driver.close()
    assert brokers.count(Produce) == 3
    assert asyncio.get_running_loop().time() - begun >= 0.003


async def test_the_markers_are_asked_for_while_nobody_commits() -> None:
    async def script(request: Request, tries: int) -> Response | None:
        if isinstance(request, Describe) and tries < 3:
            return Described(0, "PrepareCommit", Producer(7, 4))
        return None

    brokers = Brokers(script)
    driver = TransactionDriver(session_of(V2), brokers.ask)
    await driver.commit(round_of())
    while brokers.count(Describe) < 3:
        await asyncio.sleep(0.001)
    await driver.close()


async def test_a_dead_session_says_so_at_once() -> None:
    async def script(request: Request, tries: int) -> Response | None:
        return refusal(request, 47) if isinstance(request, Produce) else None

    brokers = Brokers(script)
    driver = TransactionDriver(session_of(V1), brokers.ask)
    first = await driver.commit(round_of())
    assert isinstance(first, Dead)
    assert first.fate is Fate.ABORTED
    asked = len(brokers.asked)
    assert await driver.commit(round_of()) == first
    assert len(brokers.asked) == asked
    await driver.close()


async def test_an_error_that_is_no_loss_is_raised() -> None:
    async def script(request: Request, tries: int) -> Response | None:
        raise ValueError("cannot be encoded")

    driver = TransactionDriver(session_of(V1), Brokers(script).ask)
    with pytest.raises(ValueError, match="encoded"):
        await driver.commit(round_of())
    await driver.close()


async def test_closing_gives_up_what_is_on_its_way_and_sends_nothing_more() -> None:
    async def script(request: Request, tries: int) -> Response | None:
        await asyncio.Event().wait()
        return None

    brokers = Brokers(script)
    driver = TransactionDriver(session_of(V1), brokers.ask)
    committing = asyncio.ensure_future(driver.commit(round_of()))
    while not brokers.asked:
        await asyncio.sleep(0)
    committing.cancel()
    await asyncio.wait([committing])
    asked = len(brokers.asked)
    await driver.close()
    await asyncio.sleep(0.02)
    assert len(brokers.asked) == asked


async def test_who_is_cancelled_by_the_loop_s_end_sends_nothing_more() -> None:
    async def script(request: Request, tries: int) -> Response | None:
        await asyncio.Event().wait()
        return None

    brokers = Brokers(script)
    driver = TransactionDriver(session_of(V1), brokers.ask)
    committing = asyncio.ensure_future(driver.commit(round_of()))
    while not brokers.asked:
        await asyncio.sleep(0)
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.wait(others)
    asked = len(brokers.asked)
    await asyncio.sleep(0.02)
    assert len(brokers.asked) == asked
    assert committing.cancelled()
    await driver.close()


async def test_an_id_is_acquired() -> None:
    acquired = await acquire(Brokers().ask, "app", timeout_ms=60_000)
    assert acquired == Acquired(Producer(7, 3), Ending.COMMIT, COORDINATOR)
