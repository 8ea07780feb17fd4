"""Turning the directory off: refused as long as anything depends on it."""

import pytest

from processor.errors import FootingLost, UsageError
from processor.runtime import applier
from processor.topics import Topics
from tests.fakes.link import Fault
from tests.runtime.directory_world import DirectoryWorld
from tests.runtime.events import cancel, pause, place


async def _refused(world: DirectoryWorld, why: str, *, stream: int) -> None:
    """Nothing of it may have any effect."""
    before = world.kafka.offsets.copy(), world.answers(stream)
    world.turn(on=False)
    with pytest.raises(
        UsageError, match=f"stream {stream} still has {why}.*LIVE_ORDERS_DIRECTORY=on"
    ):
        await world.run_task(stream=stream)
    assert (world.kafka.offsets, world.answers(stream)) == before
    world.turn(on=True)


async def test_live_orders_refuse_it() -> None:
    world = DirectoryWorld()
    world.send(place(world.id_in(1), world.users[0]), stream=0)
    await world.work()
    await _refused(world, "live orders: 1", stream=0)
    await world.work()
    await world.check_all()


async def test_ids_of_other_streams_orders_refuse_it() -> None:
    world = DirectoryWorld()
    world.send(place(world.id_in(1), world.users[0]), stream=0)
    await world.work()
    await _refused(world, "order ids in the directory: 1", stream=1)


async def test_waiting_commands_refuse_it() -> None:
    world = DirectoryWorld()
    world.send(cancel(world.id_in(1)), stream=0)
    await world.work()
    await _refused(world, "waiting commands: 1", stream=1)


async def test_unread_claims_refuse_it() -> None:
    world = DirectoryWorld()
    await world.work()
    world.send(cancel(world.id_in(1)), stream=0)
    await world.run_task(stream=0)
    await _refused(world, r"unread records on orders\.claims", stream=1)


async def test_unread_routed_records_refuse_it() -> None:
    world = DirectoryWorld()
    await world.work()
    world.send(pause("o1") | {"user_id": world.users[1]}, stream=0)
    await world.run_task(stream=0)
    await _refused(world, r"unread records on orders\.routed", stream=1)


async def test_orders_that_are_claimed_in_part_refuse_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applier, "_CLAIMS", 1)
    world = DirectoryWorld(directory_on=False)
    world.send(*(place(f"o{number}", world.users[0]) for number in range(3)), stream=0)
    await world.work()
    world.turn(on=True)
    broker = world.broker()
    broker.link.fail(Fault.BEFORE, "commit", nth=2)
    with pytest.raises(FootingLost):
        await world.run_task(broker=broker)
    await _refused(world, "live orders: 3", stream=0)
    await world.work()
    await world.check_all()


async def test_a_transaction_that_is_open_on_a_queue_is_waited_for() -> None:
    world = DirectoryWorld()
    await world.work()
    world.send(cancel(world.id_in(1)), stream=0)
    crashing = world.broker()
    crashing.link.fail(Fault.HALF, "commit")
    with pytest.raises(FootingLost):
        await world.run_task(broker=crashing)
    world.turn(on=False)
    with pytest.raises(FootingLost, match=r"a transaction is open on orders\.claims/1"):
        await world.run_task(stream=1)
    # A whole process aborts it, by fencing the stream that left it open.
    await world.work()
    assert world.finals() == {(0, 0): "0: unknown_order"}


async def test_when_nothing_is_left_it_is_turned_off_and_on_again() -> None:
    world = DirectoryWorld()
    order_ids = [world.id_in(0), world.id_in(1)]
    for stream in (0, 1):
        for shard in (0, 1):
            order_id = world.id_in(shard, f"o{stream}-")
            world.send(place(order_id, world.users[stream]), stream=stream)
            await world.work()
            world.send(cancel(order_id), stream=1 - stream)
            await world.work()
    world.turn(on=False)
    world.send(*(place(order_id, world.users[0]) for order_id in order_ids), stream=0)
    await world.work()
    assert all("directory" not in world.metadata(stream) for stream in (0, 1))

    world.turn(on=True)
    world.send(cancel(order_ids[0]), stream=1)
    await world.work()
    assert world.results_of(1, 4) == ["0: applied", "1: forwarded"]
    assert await world.listed() == [order_ids[1]]
    await world.check_all()


@pytest.mark.parametrize("call", ["purge", "begin", "commit"])
async def test_a_kill_while_it_is_turned_off_leaves_both_ways_open(call: str) -> None:
    for on in (True, False):
        world = DirectoryWorld()
        order_id = world.id_in(0)
        world.send(place(order_id, world.users[0]), cancel(order_id), stream=0)
        await world.work()
        world.turn(on=False)
        world.send(place(order_id, world.users[0]), stream=0)
        dying = world.broker()
        held = dying.link.hold(call)
        async with world.task(dying) as running:
            await running.until(held.reached.is_set)
            await running.kill()
        world.turn(on=on)
        await world.work()
        assert await world.listed() == [order_id]
        world.turn(on=True)
        await world.work()
        await world.check_all()


async def test_without_it_an_id_of_another_stream_is_unknown_at_once() -> None:
    world = DirectoryWorld(directory_on=False)
    world.send(place("o1", world.users[0]), stream=0)
    await world.work()
    world.send(cancel("o1"), stream=1)
    await world.work()
    assert world.results_of(1, 0) == ["1: unknown_order"]


async def test_without_it_an_event_in_the_wrong_partition_stays_wrong() -> None:
    world = DirectoryWorld(directory_on=False)
    world.send(place("o1", world.users[0]), stream=1)
    await world.work()
    assert world.results_of(1, 0) == ["1: wrong_stream"]
    assert await world.listed() == []


async def test_without_it_an_id_may_be_live_once_in_each_stream() -> None:
    world = DirectoryWorld(directory_on=False)
    for stream in (0, 1):
        world.send(place("o1", world.users[stream]), stream=stream)
    await world.work()
    assert set(world.finals().values()) == {"0: applied", "1: applied"}
    assert await world.listed() == ["o1", "o1"]


async def test_without_it_nothing_is_written_for_a_directory() -> None:
    world = DirectoryWorld(directory_on=False)
    world.send(place("o1", world.users[0]), cancel("o1"), cancel("o9"), stream=0)
    await world.work()
    theirs = set(Topics(directory_on=True).all) - set(Topics().all)
    assert {world.kafka.log(topic, stream).end for topic in theirs for stream in (0, 1)} == {0}
