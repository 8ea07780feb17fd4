"""When a stream is quiet: nothing has come to wait for a while, and all is read that was there."""

from collections.abc import Callable

import pytest

from tests.task.events import cancel, place
from tests.task.late_world import IDLE_MS, WINDOW_MS, Fields, LateWorld, at, late_settings
from tests.task.world import Running

REJECT = late_settings(late_events="reject")
# Twice the quiet, and more: some in the time between any two of which it would not be quiet.
_TIMES = 10


async def _flow(
    world: LateWorld, running: Running, make: Callable[[int], Fields | bytes], stream: int = 0
) -> None:
    """Let events come so often that it is never quiet between two of them."""
    for number in range(_TIMES):
        world.clock.advance(IDLE_MS // 2)
        await world.read(running, make(number), stream=stream)
        await world.looks(running)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda _: b"no event", id="malformed"),
        pytest.param(lambda n: at(10_000_000, place(f"x{n}")), id="too early"),
        pytest.param(lambda n: at(-1, place(f"x{n}")), id="late"),
    ],
)
async def test_what_does_not_wait_keeps_nothing_waiting(
    make: Callable[[int], Fields | bytes],
) -> None:
    world = LateWorld(settings=REJECT)
    async with world.task() as running:
        # The first one goes out at once, so that what is older is late.
        await world.read(running, at(0, place("o1")), at(WINDOW_MS, place("o2")))
        await _flow(world, running, make)
        assert "1: applied" in world.outcomes()
        assert "finished" not in str(world.position()["progress"])


@pytest.mark.parametrize("by_id_alone", [False, True])
async def test_nor_does_what_goes_on_to_another_stream(by_id_alone: bool) -> None:
    world = LateWorld(2)
    mine, other = world.users
    make = cancel if by_id_alone else lambda order_id: place(order_id, other)
    async with world.all_streams() as running:
        await world.read(running, at(0, place("o1", mine)))
        await _flow(world, running, lambda n: at(n * IDLE_MS // 2, make(f"x{n}")))
        assert "0: applied" in world.outcomes()


async def test_after_a_restart_it_is_not_quiet_before_it_has_looked_what_there_is() -> None:
    world = LateWorld(settings=REJECT)
    async with world.task() as running:
        await world.read(running, at(1000, place("o1")))
        await running.kill()
    world.send(at(500, place("o2")))
    world.clock.advance(10 * IDLE_MS)
    broker = world.broker()
    broker.starve_inputs()
    async with world.task(broker) as running:
        await running.until(lambda: bool(running.watcher.commits), "runs")
        world.clock.advance(IDLE_MS)
        await world.looks(running)
        assert world.outcomes() == []
        broker.starve_inputs(False)
        await running.until(world.has_read, "the rest")
        await world.let_go(running)
    assert world.outcomes() == ["1: applied", "0: applied"]
