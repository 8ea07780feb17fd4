"""Whatever fails, whenever: one answer for each event, and the table that the core makes."""

import asyncio
import itertools
import random
from typing import Any

import pytest

from processor.core.snapshot import SnapshotPolicy
from processor.errors import FootingLost
from processor.runtime.context import TaskSettings
from tests.fakes.clock import FakeClock
from tests.fakes.group import FakeGroup
from tests.fakes.link import Fault
from tests.runtime.events import cancel, cancel_all, pause, place, resume
from tests.runtime.world import World

SETTINGS = TaskSettings(snapshots=SnapshotPolicy(interval_ms=5, slice_bytes=600))
ROUNDS = 6
EVENTS_PER_ROUND = 10


def _random_events(rng: random.Random) -> list[dict[str, Any] | bytes | None]:
    users = ["alice", "bob", "carol"]

    def one() -> dict[str, Any] | bytes | None:
        order_id = f"o{rng.randrange(15)}"
        kind = rng.randrange(12)
        if kind < 5:
            return place(order_id, rng.choice(users), price=str(rng.randrange(1, 100)))
        if kind < 11:
            return [pause, resume, cancel][kind % 3](order_id)
        return rng.choice([cancel_all(rng.choice(users)), b"bad", None, b"x" * 70_000])

    return [one() for _ in range(EVENTS_PER_ROUND)]


async def _run(
    seed: int, fault: Fault | None = None, call: str | None = None, nth: int = 0
) -> tuple[World, bool]:
    """A process that meets one fault at its nth call (of that name), while events keep coming.

    Returns:
        The world when all is done, and whether the fault was met.
    """
    rng = random.Random(seed)
    world = World(settings=SETTINGS, clock=FakeClock(tick_us=200))
    broker = world.broker()
    if fault is not None:
        broker.link.fail(fault, call, nth=nth)
    async with world.process(broker, FakeGroup(1).member()) as running:
        for _ in range(ROUNDS):
            world.send(*_random_events(rng))
            await running.until(world.is_caught_up, f"caught up ({seed=}, {fault=}, {nth=})")
    return world, broker.link.struck > 0


@pytest.mark.parametrize(
    ("fault", "call", "at_least"),
    [(Fault.BEFORE, None, 40), (Fault.AFTER, None, 40), (Fault.HALF, "commit", 6)],
    ids=["without effect", "with effect", "half a commit"],
)
@pytest.mark.parametrize("seed", [1, 2])
async def test_a_fault_at_any_call_changes_nothing_in_the_end(
    seed: int, fault: Fault, call: str | None, at_least: int
) -> None:
    undisturbed, _ = await _run(seed)
    expected = undisturbed.answers()
    for nth in itertools.count(1):
        world, struck = await _run(seed, fault, call, nth)
        where = f"{seed=}, {fault=}, {nth=}"
        assert world.answers() == expected, where
        assert await world.listed() == await undisturbed.listed(), where
        await world.check()
        if not struck:
            # The run was over before its nth call: the faults have been everywhere.
            assert nth > at_least
            break


@pytest.mark.parametrize("seed", range(10))
async def test_one_kill_after_another_changes_nothing_in_the_end(seed: int) -> None:
    rng = random.Random(seed)
    world = World(settings=SETTINGS, clock=FakeClock(tick_us=200))
    for _ in range(20):
        world.send(*_random_events(rng))
        broker = world.broker()
        call = rng.choice(["fence", "committed", "bounds", "fetch", "begin", "commit"])
        dying = broker.link.hold(call)
        async with world.task(broker) as running:
            if rng.random() < 0.5:
                broker.link.fail(rng.choice(list(Fault)), "commit", nth=rng.randrange(1, 4))
            await running.until(lambda: running.job.done() or dying.reached.is_set(), "the kill")  # noqa: B023
            await running.kill()
    await world.run_task()
    await world.check()


async def test_many_faults_in_a_row_only_delay() -> None:
    rng = random.Random(7)
    world = World(settings=SETTINGS, clock=FakeClock(tick_us=200))
    broker = world.broker()
    async with world.process(broker, FakeGroup(1).member()) as running:
        for _ in range(10):
            for fault in Fault:
                broker.link.fail(fault, nth=rng.randrange(1, 60))
            world.send(*_random_events(rng))
            await running.until(world.is_caught_up)
    await world.check()


async def test_a_commit_whose_outcome_is_unknown_is_followed_by_a_restore() -> None:
    world = World()
    broker = world.broker()
    async with world.process(broker, FakeGroup(1).member()) as running:
        await running.until(lambda: bool(running.watcher.commits) and world.is_caught_up())
        broker.link.fail(Fault.AFTER, "commit")
        world.send(place("o1"))
        await running.until(lambda: broker.link.calls.count("fence") == 2, "the restore")
        world.send(place("o2"))
        await running.until(world.is_caught_up)
    await world.check()


async def test_a_task_never_goes_on_after_an_error() -> None:
    world = World()
    world.send(place("o1"))
    broker = world.broker()
    async with world.task(broker) as running:
        broker.link.fail(Fault.AFTER, "write", nth=3)
        with pytest.raises(FootingLost):
            await running.fails()
        calls = list(broker.link.calls)
        await asyncio.sleep(0)
        assert broker.link.calls == calls
    assert world.answers() == []
