"""The gate: no turn while the stream may be moving, and none is cut short."""

import asyncio

import pytest

from processor.task.gate import Gate, Stopped

TIMEOUT_S = 5


async def settle() -> None:
    """Let every task go on as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


class Worker:
    """A task that takes one turn and holds it until told to end it."""

    def __init__(self, gate: Gate) -> None:
        self.entered = False
        self.finish = asyncio.Event()
        self.task = asyncio.create_task(self._run(gate))

    async def _run(self, gate: Gate) -> None:
        async with gate.turn():
            self.entered = True
            await self.finish.wait()

    async def end(self) -> None:
        """End the turn."""
        self.finish.set()
        async with asyncio.timeout(TIMEOUT_S):
            await self.task


async def test_a_new_gate_is_shut() -> None:
    gate = Gate()
    worker = Worker(gate)
    await settle()
    assert (worker.entered, gate.waiting, gate.stopped) == (False, True, False)
    gate.open()
    await worker.end()


async def test_an_open_gate_gives_turns() -> None:
    gate = Gate()
    gate.open()
    for _ in range(3):
        await Worker(gate).end()
    assert not gate.waiting


async def test_shutting_waits_for_the_turn_that_is_on() -> None:
    gate = Gate()
    gate.open()
    worker = Worker(gate)
    await settle()
    shutting = asyncio.create_task(gate.shut())
    await settle()
    assert (shutting.done(), gate.waiting) == (False, True)
    await worker.end()
    async with asyncio.timeout(TIMEOUT_S):
        await shutting


async def test_a_shut_gate_gives_no_turn_until_it_is_open_again() -> None:
    gate = Gate()
    gate.open()
    await gate.shut()
    worker = Worker(gate)
    await settle()
    assert not worker.entered
    gate.open()
    await settle()
    assert worker.entered
    await worker.end()


async def test_a_gate_that_opens_and_shuts_at_once_lets_nobody_slip_through() -> None:
    gate = Gate()
    worker = Worker(gate)
    await settle()
    gate.open()
    await gate.shut()
    await settle()
    entered = worker.entered
    gate.open()
    await worker.end()
    assert not entered


async def test_a_turn_that_fails_has_ended() -> None:
    gate = Gate()
    gate.open()
    with pytest.raises(ZeroDivisionError):
        async with gate.turn():
            raise ZeroDivisionError
    async with asyncio.timeout(TIMEOUT_S):
        await gate.shut()


async def test_a_cancelled_turn_has_ended() -> None:
    gate = Gate()
    gate.open()
    worker = Worker(gate)
    await settle()
    worker.task.cancel()
    async with asyncio.timeout(TIMEOUT_S):
        await gate.shut()


async def test_who_waits_for_a_turn_is_told_to_stop() -> None:
    gate = Gate()
    worker = Worker(gate)
    await settle()
    gate.stop()
    with pytest.raises(Stopped):
        await worker.end()
    assert not worker.entered


@pytest.mark.parametrize("how", ["open", "shut"])
async def test_a_stopped_gate_gives_no_turn_ever_again(how: str) -> None:
    gate = Gate()
    gate.open()
    gate.stop()
    if how == "open":
        gate.open()
    else:
        await gate.shut()
    with pytest.raises(Stopped):
        await Worker(gate).end()
    assert (gate.stopped, gate.waiting) == (True, True)


async def test_stopping_lets_the_turn_that_is_on_end() -> None:
    gate = Gate()
    gate.open()
    worker = Worker(gate)
    await settle()
    gate.stop()
    await settle()
    assert not worker.task.done()
    await worker.end()


async def test_passable_waits_for_the_gate_and_takes_no_turn() -> None:
    gate = Gate()
    waiting = asyncio.create_task(gate.passable())
    await settle()
    assert not waiting.done()
    gate.open()
    async with asyncio.timeout(TIMEOUT_S):
        await waiting
        await gate.shut()


async def test_wait_stopped_ends_when_stopped() -> None:
    gate = Gate()
    waiting = asyncio.create_task(gate.wait_stopped())
    gate.open()
    await settle()
    assert not waiting.done()
    gate.stop()
    async with asyncio.timeout(TIMEOUT_S):
        await waiting
