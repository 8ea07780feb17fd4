"""Leaving is not interrupted, and what goes on beside tells when it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from processor.cli.terminal.background import beside, in_background
from processor.cli.terminal.uninterrupted_exit import ToItsEnd
from processor.errors import BrokenInvariant, KafkaUnavailable
from tests.waiting import turns


@asynccontextmanager
async def slow_to_leave(may_leave: asyncio.Event, said: list[str]) -> AsyncIterator[None]:
    yield
    said.append("leaving")
    await may_leave.wait()
    said.append("left")


async def test_a_cancellation_waits_for_the_end_of_leaving() -> None:
    may_leave, said = asyncio.Event(), list[str]()

    async def work() -> None:
        async with ToItsEnd() as stack:
            await stack.enter_async_context(slow_to_leave(may_leave, said))

    task = asyncio.create_task(work())
    await turns()
    task.cancel()
    await turns()
    assert (said, task.done()) == (["leaving"], False)
    may_leave.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert said == ["leaving", "left"]


async def test_what_is_entered_last_is_left_first_and_errors_come_through() -> None:
    said: list[str] = []

    async def work() -> None:
        async with ToItsEnd() as stack:
            stack.callback(said.append, "first")
            stack.callback(said.append, "last")
            raise KafkaUnavailable

    with pytest.raises(KafkaUnavailable):
        await work()
    assert said == ["last", "first"]


async def test_what_is_done_beside_has_its_result() -> None:
    async with in_background(_for_ever()) as background:
        assert await beside(_soon("done"), *background) == "done"


async def test_an_error_of_the_background_ends_what_is_done() -> None:
    async with in_background(_fails()) as background:
        with pytest.raises(KafkaUnavailable, match="gone"):
            await beside(_for_ever(), *background)


async def test_a_background_that_ends_by_itself_is_a_fault() -> None:
    async with in_background(_ends()) as background:
        with pytest.raises(BrokenInvariant):
            await beside(_for_ever(), *background)


async def test_the_background_ends_with_its_block() -> None:
    async with in_background(_for_ever()) as background:
        await turns()
    assert background[0].cancelled()


async def _for_ever() -> None:
    await asyncio.Event().wait()


async def _ends() -> None:
    await asyncio.sleep(0)


async def _fails() -> None:
    raise KafkaUnavailable("gone")


async def _soon(result: str) -> str:
    await asyncio.sleep(0)
    return result
