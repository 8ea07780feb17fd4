"""Whatever fails, whenever: one answer for each event, and the table that the core makes."""

import random
from functools import partial
from typing import Any

import pytest

from processor.core.orders.snapshot import SnapshotPolicy
from processor.errors import TaskLost
from processor.task.context import TaskSettings
from processor.task.lifecycle import TaskState
from tests.fakes.broker import FakeBroker
from tests.fakes.clock import FakeClock
from tests.fakes.group import FakeGroup
from tests.fakes.link import Fault
from tests.task.events import cancel, cancel_all, pause, place, resume
from tests.task.faults import AT_ANY_CALL, strike_everywhere
from tests.task.world import World
from tests.waiting import turns

SETTINGS = TaskSettings(snapshots=SnapshotPolicy(interval_ms=5, slice_bytes=600))
ROUNDS = 6
EVENTS_PER_ROUND = 10


USERS = ["alice", "bob", "carol"]


def _random_events(rng: random.Random) -> list[dict[str, Any] | bytes | None]:
    def one() -> dict[str, Any] | bytes | None:
        number = rng.randrange(15)
        order_id = f"o{number}"
        # Most times the user whose order it is, if there is one.
        user = rng.choice([*USERS, *[USERS[number % 3]] * 9])
        kind = rng.randrange(12)
        if kind < 5:
            return place(order_id, user, price=str(rng.randrange(1, 100)))
        if kind < 11:
            return [pause, resume, cancel][kind % 3](order_id, user)
        return rng.choice([cancel_all(rng.choice(USERS)), b"bad", None, b"x" * 70_000])

    return [one() for _ in range(EVENTS_PER_ROUND)]


def _world() -> World:
    return World(settings=SETTINGS, clock=FakeClock(tick_us=200))


async def _run(world: World, broker: FakeBroker, seed: int) -> None:
    """A process while events keep coming."""
    rng = random.Random(seed)
    async with world.process(broker, FakeGroup(1).member()) as running:
        for _ in range(ROUNDS):
            world.send(*_random_events(rng))
            await running.until(world.is_caught_up, "caught up")


@AT_ANY_CALL
@pytest.mark.parametrize("seed", [1, 2])
async def test_a_fault_at_any_call_changes_nothing_in_the_end(
    seed: int, fault: Fault, call: str | None, at_least: int
) -> None:
    undisturbed = _world()
    await _run(undisturbed, undisturbed.broker(), seed)

    async def check(world: World) -> None:
        assert world.answers() == undisturbed.answers()
        assert await world.listed() == await undisturbed.listed()
        await world.check()

    await strike_everywhere(_world, partial(_run, seed=seed), check, fault, call, at_least=at_least)


@pytest.mark.parametrize("seed", range(10))
async def test_one_kill_after_another_changes_nothing_in_the_end(seed: int) -> None:
    rng = random.Random(seed)
    world = _world()
    for _ in range(20):
        world.send(*_random_events(rng))
        broker = world.broker()
        call = rng.choice(["fence", "committed", "bounds", "describe", "fetch", "commit", "end"])
        dying = broker.link.hold(call)
        async with world.task(broker) as running:
            if rng.random() < 0.5:
                broker.link.fail(rng.choice(list(Fault)), "commit", nth=rng.randrange(1, 4))
            await running.until(
                lambda: running.job.done() or dying.reached.is_set() or world.is_caught_up(),  # noqa: B023
                "the kill",
            )
            await running.kill()
    await world.run_task()
    await world.check()


async def test_many_faults_in_a_row_only_delay() -> None:
    rng = random.Random(7)
    world = _world()
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
        fences = broker.link.calls.count("fence")
        broker.link.fail(Fault.AFTER, "commit")
        world.send(place("o1"))
        await running.until(lambda: broker.link.calls.count("fence") > fences, "the id is ours")
        await running.until(
            lambda: running.watcher.states[0].count(TaskState.RESTORING) == 2, "the restore"
        )
        world.send(place("o2"))
        await running.until(world.is_caught_up)
    await world.check()


@pytest.mark.parametrize("fault", Fault)
async def test_a_task_never_goes_on_after_an_error(fault: Fault) -> None:
    world = World()
    world.send(place("o1"))
    broker = world.broker()
    async with world.task(broker) as running:
        # After the origin and the take-over.
        broker.link.fail(fault, "commit", nth=3)
        with pytest.raises(TaskLost):
            await running.fails()
        calls = list(broker.link.calls)
        await turns()
        assert broker.link.calls == calls
    assert world.answered() == ([0] if fault is Fault.AFTER else [])
