"""Whatever fails on a round trip, whenever: one end for each command, and it is the same one."""

import random
from collections.abc import Callable
from functools import partial

import pytest

from processor.errors import TaskLost
from tests.fakes.broker import FakeBroker
from tests.fakes.group import FakeGroup
from tests.fakes.link import Fault
from tests.task.directory_world import GRACE_MS, DirectoryWorld
from tests.task.events import cancel, cancel_all, pause, place
from tests.task.faults import strike_everywhere
from tests.task.world import Running


async def _run(world: DirectoryWorld, broker: FakeBroker) -> None:
    async with world.all_streams(broker) as running:
        await _round_trips(world, running)


async def _round_trips(world: DirectoryWorld, running: Running) -> None:
    """One of each kind, each when the one before has ended: so there is one way only."""
    here, there = world.users

    async def rest(holds: Callable[[], bool] = lambda: True) -> None:
        await running.until(lambda: world.is_at_rest() and holds(), "at rest")

    world.send(place("o1", here), place("o2", here), stream=0)
    await rest()
    world.send(place("o1", there), pause("o2"), place("o3", here), stream=1)
    await rest()
    world.send(cancel("o4"), cancel("o5"), stream=0)
    await rest(lambda: world.parked() == 2)
    world.send(place("o4", there), stream=1)
    await rest(lambda: world.parked() == 1)
    world.clock.advance(GRACE_MS)
    await rest(lambda: world.parked() == 0)
    world.send(cancel_all(here), place("o5", there), stream=1)
    await rest()


EXPECTED = {
    (0, 0): "0: applied",
    (0, 1): "0: applied",
    (1, 0): "1: duplicate_order",
    (1, 1): "0: applied",
    (1, 2): "0: applied",
    (0, 2): "1: applied",
    (0, 3): "0: unknown_order",
    (1, 3): "1: applied",
    (1, 4): "0: applied",
    (1, 5): "1: applied",
}


async def _check(world: DirectoryWorld) -> None:
    await world.check_all()
    assert world.finals() == EXPECTED
    assert await world.listed() == ["o5"]


@pytest.mark.parametrize("fault", Fault)
async def test_a_fault_at_any_commit_of_a_round_trip_changes_nothing_in_the_end(
    fault: Fault,
) -> None:
    await strike_everywhere(DirectoryWorld, _run, _check, fault, "commit", at_least=20)


@pytest.mark.parametrize("fault", Fault)
async def test_a_fault_at_any_commit_changes_nothing_where_all_streams_are_together(
    fault: Fault,
) -> None:
    make = partial(DirectoryWorld, together=True)
    await strike_everywhere(make, _run, _check, fault, "commit", at_least=10)


async def test_a_fault_while_asking_whether_a_deadline_counts_only_delays() -> None:
    world = DirectoryWorld()
    broker = world.broker()
    world.send(cancel("o1"), stream=1)
    async with world.all_streams(broker) as running:
        await running.until(lambda: world.is_at_rest() and world.parked() == 1)
        broker.link.fail(Fault.BEFORE, "bounds")
        world.clock.advance(GRACE_MS)
        await running.until(lambda: world.parked() == 0, "the answer")
        assert broker.link.struck == 1
    await world.check_all()


@pytest.mark.parametrize("seed", range(3))
async def test_kills_of_either_side_of_round_trips_change_nothing_in_the_end(seed: int) -> None:
    rng = random.Random(seed)
    world = DirectoryWorld()
    for number in range(8):
        for stream in (0, 1):
            order_id = f"o{number}-{stream}"
            world.send(place(order_id, world.users[stream]), pause(order_id), stream=stream)
            world.send(cancel(order_id), cancel(f"none{number}"), stream=1 - stream)
        dying = world.broker()
        held = dying.link.hold("end", nth=rng.randrange(1, 8))
        victim = rng.randrange(2)
        async with world.task(dying, victim) as running, world.task(stream=1 - victim):
            await running.until(lambda: held.reached.is_set() or world.is_at_rest())  # noqa: B023
            await running.kill()
    async with world.all_streams() as running:
        await running.until(world.is_at_rest)
        world.clock.advance(GRACE_MS)
        await running.until(lambda: world.is_at_rest() and world.parked() == 0)
    assert await world.listed() == []
    await world.check_all()


async def test_streams_that_move_between_processes_lose_nothing_that_travels() -> None:
    world, group = DirectoryWorld(4), FakeGroup(4)
    world.kafka.group = group

    def send(name: str) -> None:
        for stream, user in enumerate(world.users):
            world.send(place(f"{name}{stream}", user), stream=stream)
            world.send(cancel(f"{name}{stream}"), stream=(stream + 1) % 4)
            world.send(place(f"{name}-stays{stream}", user), stream=(stream + 2) % 4)

    async with world.process(world.broker(), group.member()) as first:
        send("a")
        async with world.process(world.broker(), group.member()) as second:
            send("b")
            await second.until(lambda: len(world.answers(1)) > 1)
            async with world.process(world.broker(), group.member()) as third:
                send("c")
                await third.until(world.is_at_rest, "at rest")
                send("d")
            send("e")
        await first.until(lambda: world.is_at_rest() and world.parked() == 0, "at rest")
    assert len(await world.listed()) == 20
    await world.check_all()


async def test_a_zombie_in_the_middle_of_a_claim_claims_nothing_any_more() -> None:
    world = DirectoryWorld()
    await world.work()
    asleep = world.broker()
    async with world.task(asleep) as zombie:
        await zombie.until(lambda: bool(zombie.watcher.commits), "runs")
        held = asleep.link.hold("end")
        world.send(place("o1", world.users[0]), stream=0)
        await zombie.until(held.reached.is_set, "the claim, not committed yet")
        await world.work()
        held.release()
        with pytest.raises(TaskLost):
            await zombie.fails()
    await world.work()
    claims = [one for shard in (0, 1) for one in world.records(world.topics.claims, shard)]
    assert len(claims) == 1
    await world.check_all()
