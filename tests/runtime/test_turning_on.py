"""Turning the directory on over orders that are live already."""

import pytest

from processor.errors import FootingLost
from processor.runtime import applier
from tests.fakes.broker import FakeBroker
from tests.fakes.link import Fault
from tests.runtime.directory_world import DirectoryWorld
from tests.runtime.events import cancel, pause, place


@pytest.fixture(autouse=True)
def _one_claim_a_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applier, "_CLAIMS", 1)


async def _with_orders(count: int) -> DirectoryWorld:
    """A world whose streams have orders, and had no directory so far."""
    world = DirectoryWorld(directory_on=False)
    for stream in (0, 1):
        user = world.users[stream]
        world.send(*(place(f"o{stream}{number}", user) for number in range(count)), stream=stream)
    await world.work()
    world.turn(on=True)
    return world


def _claimed(world: DirectoryWorld) -> list[str]:
    """The placements that were claimed, in all queues."""
    claims = [one for shard in (0, 1) for one in world.records(world.topics.claims, shard)]
    return sorted((one.value or b"").decode() for one in claims)


async def test_all_live_orders_are_claimed_once_in_several_transactions() -> None:
    world = await _with_orders(3)
    broker = world.broker()
    await world.work(broker)
    assert len(_claimed(world)) == 6
    assert len(set(_claimed(world))) == 6
    await world.check_all()
    await world.work()
    assert len(_claimed(world)) == 6


async def test_events_come_after_the_last_claim() -> None:
    world = await _with_orders(3)
    world.send(cancel("o00"), stream=0)
    broker = world.broker()
    broker.link.hold("begin").release()
    held = broker.link.hold("begin")
    async with world.task(broker, stream=0) as running:
        await running.until(held.reached.is_set, "the second claim")
        assert world.metadata(0)["claimed_seq"] == 1
        assert "directory" not in world.metadata(0)
        assert len(world.answers(0)) == 3
        held.release()
        await running.until(lambda: world.is_caught_up(0))
    assert "claimed_seq" not in world.metadata(0)


async def test_a_command_by_id_alone_then_finds_an_order_of_the_time_before() -> None:
    world = await _with_orders(2)
    world.send(cancel("o01"), pause("o00"), stream=1)
    await world.work()
    assert [world.finals()[1, offset] for offset in (2, 3)] == ["0: applied", "0: applied"]
    assert await world.listed() == ["o00(paused)", "o10", "o11"]
    await world.check_all()


async def _break(world: DirectoryWorld, fault: Fault | None, nth: int) -> FakeBroker:
    """Turn it on in stream 0, and end at the nth commit: by a fault, or by a kill inside it."""
    broker = world.broker()
    if fault is not None:
        broker.link.fail(fault, "commit", nth=nth)
        with pytest.raises(FootingLost):
            await world.run_task(broker=broker)
        return broker
    held = [broker.link.hold("end") for _ in range(nth)]
    for one in held[:-1]:
        one.release()
    async with world.task(broker) as running:
        await running.until(held[-1].reached.is_set)
        await running.kill()
    return broker


@pytest.mark.parametrize("fault", [*Fault, None], ids=str)
@pytest.mark.parametrize("nth", [1, 2, 3, 4, 5])
async def test_whatever_cuts_it_short_each_order_is_claimed_once(
    fault: Fault | None, nth: int
) -> None:
    world = await _with_orders(3)
    await _break(world, fault, nth)
    await world.work()
    assert len(_claimed(world)) == 6
    assert len(set(_claimed(world))) == 6
    world.send(cancel("o02"), stream=1)
    await world.work()
    assert world.finals()[1, 3] == "0: applied"
    await world.check_all()


async def test_of_an_id_that_was_live_twice_one_is_revoked_without_a_place() -> None:
    world = DirectoryWorld(directory_on=False)
    for stream in (0, 1):
        world.send(place("o1", world.users[stream]), stream=stream)
    await world.work()
    world.turn(on=True)
    await world.work()
    corrections = [
        (stream, answer["input"]["partition"], answer["input"]["offset"])
        for stream in (0, 1)
        for answer in world.answers(stream)
        if answer.get("revoked")
    ]
    assert corrections in ([(0, 0, -1)], [(1, 1, -1)])
    await world.check_all()


async def test_an_id_that_was_live_twice_is_free_once_both_are_gone() -> None:
    world = DirectoryWorld(directory_on=False)
    twice = world.id_in(0)
    world.send(place(twice, world.users[0]), stream=0)
    world.send(place(twice, world.users[1]), place("o9", world.users[1]), stream=1)
    await world.work()
    world.turn(on=True)
    async with world.task(stream=0) as first:
        await first.until(lambda: "directory" in world.metadata(0))
        # Stream 1 is killed when it has claimed one order, which has lost before it is back.
        dying = world.broker()
        dying.link.hold("begin").release()
        held = dying.link.hold("begin")
        async with world.task(dying, stream=1) as second:
            await second.until(held.reached.is_set, "the second claim")
            await second.kill()
        await first.until(lambda: len(world.records(world.topics.routed, 1)) == 1, "the revoke")
        world.send(cancel(twice), stream=0)
        await first.until(lambda: world.is_caught_up(0) and world.owners() == {}, "the release")
    await world.work()
    await world.check_all()


async def test_a_stream_without_orders_is_turned_on_too() -> None:
    world = await _with_orders(0)
    await world.work()
    assert all("directory" in world.metadata(stream) for stream in (0, 1))
