"""Commands that wait for the place of their order, and how long."""

from tests.task.directory_world import GRACE_MS, DirectoryWorld
from tests.task.events import cancel, place
from tests.task.world import Running


async def _parked(world: DirectoryWorld, running: Running) -> None:
    await running.until(lambda: world.is_at_rest() and world.parked() == 1, "the wait")


async def test_a_command_for_an_unknown_id_is_answered_when_its_time_is_over() -> None:
    world = DirectoryWorld()
    world.send(cancel("o1"), stream=1)
    async with world.all_streams() as running:
        await _parked(world, running)
        world.clock.advance(GRACE_MS - 1)
        await world.looks(running)
        assert world.parked() == 1
        assert world.results_of(1, 0) == ["1: forwarded"]
        world.clock.advance(1)
        await running.until(lambda: world.parked() == 0, "the answer")
    assert world.finals()[1, 0].endswith(": unknown_order")
    await world.check_all()


async def test_a_parked_command_outlives_a_kill_and_keeps_its_deadline() -> None:
    world = DirectoryWorld()
    world.send(cancel("o1"), stream=1)
    async with world.all_streams() as running:
        await _parked(world, running)
        await running.kill()
    world.clock.advance(GRACE_MS - 1)
    async with world.all_streams() as running:
        await world.looks(running)
        assert world.parked() == 1
        world.clock.advance(1)
        await running.until(lambda: world.parked() == 0, "the answer")
    await world.check_all()


async def test_a_parked_command_meets_a_place_that_comes_after_a_kill() -> None:
    world = DirectoryWorld()
    world.send(cancel("o1"), stream=1)
    async with world.all_streams() as running:
        await _parked(world, running)
        await running.kill()
    world.kafka.log(world.topics.directory, 0).compact(drop_tombstones=True)
    world.kafka.log(world.topics.directory, 1).compact(drop_tombstones=True)
    world.send(place("o1", world.users[0]), stream=0)
    await world.work()
    assert world.finals()[1, 0] == "0: applied"
    await world.check_all()


async def test_a_deadline_waits_for_a_claim_that_an_open_transaction_hides() -> None:
    world = DirectoryWorld()
    order_id = world.id_in(1)
    placing = world.broker()
    async with world.task(placing, stream=0) as first, world.task(stream=1) as shard:
        world.send(cancel(order_id), stream=1)
        await shard.until(lambda: world.is_at_rest() and world.parked() == 1, "the wait")
        await first.until(
            lambda: bool(world.records(world.topics.snapshots, 0)), "the first snapshot"
        )
        held = placing.link.hold("end")
        world.send(place(order_id, world.users[0]), stream=0)
        await first.until(held.reached.is_set, "the claim, not committed yet")
        world.clock.advance(GRACE_MS)
        await shard.grows(lambda: shard.link.calls.count("bounds"), "a look at the end")
        commits = shard.link.calls.count("commit")
        await world.looks(shard)
        # It neither answers nor commits again and again meanwhile.
        assert world.parked() == 1
        assert shard.link.calls.count("commit") == commits

        held.release()
        await shard.until(lambda: world.is_at_rest() and world.parked() == 0, "the meeting")
    assert world.results_of(1, 0) == ["0: applied", "1: forwarded"]
    await world.check_all()


async def test_a_deadline_waits_no_longer_than_for_the_end_of_that_transaction() -> None:
    world = DirectoryWorld()
    order_id = world.id_in(1)
    async with world.task(stream=1) as shard:
        await world.run_task(stream=0)
        world.send(cancel(order_id), stream=1)
        await shard.until(lambda: world.is_caught_up(1) and world.parked() == 1, "the wait")
        await world.crash(0, place(order_id, world.users[0]))
        world.clock.advance(GRACE_MS)
        await shard.grows(lambda: shard.link.calls.count("bounds"), "a look at the end")
        assert world.parked() == 1
        world.time_out(world.topics.claims, 1)
        await shard.until(lambda: world.parked() == 0, "the answer")
    assert world.finals()[1, 0] == "1: unknown_order"


async def test_nothing_is_committed_while_a_command_waits_for_its_time() -> None:
    world = DirectoryWorld()
    world.send(cancel("o1"), stream=1)
    async with world.all_streams() as running:
        await _parked(world, running)
        # Snapshots of what has changed come first.
        world.clock.advance(2000)
        await world.looks(running)
        commits = running.link.calls.count("commit")
        await world.looks(running)
        assert running.link.calls.count("commit") == commits
        assert world.parked() == 1
