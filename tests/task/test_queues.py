"""The queues between tasks: their offsets, and how they are emptied."""

import logging

import pytest

from processor.task.lifecycle import TaskState
from processor.task.ports import Partition
from tests.fakes.link import Fault
from tests.task.directory_world import DirectoryWorld
from tests.task.events import cancel, place
from tests.task.world import Running

PURGE_MS = 10_000


def _begins(world: DirectoryWorld) -> dict[tuple[str, int], int]:
    return {
        (topic, stream): world.kafka.log(topic, stream).begin
        for topic in world.topics.queues
        for stream in range(world.num_streams)
    }


def _committed(world: DirectoryWorld) -> dict[tuple[str, int], int]:
    return {where: world.next_in(*where) for where in _begins(world)}


async def _round_trips(world: DirectoryWorld, running: Running, name: str) -> None:
    """Bring records into every queue, and wait until they are read."""
    for stream, other in ((0, 1), (1, 0)):
        for shard in (0, 1):
            order_id = world.id_in(shard, f"{name}-{stream}-")
            world.send(place(order_id, world.users[stream]), stream=stream)
            await running.until(world.is_at_rest)
            world.send(cancel(order_id), stream=other)
            await running.until(world.is_at_rest)


async def _ten_seconds(world: DirectoryWorld, running: Running) -> None:
    """Let them pass; a snapshot that is due meanwhile moves the positions once more."""
    begins = _begins(world)
    world.clock.advance(PURGE_MS - 1)
    await world.looks(running)
    assert _begins(world) == begins
    world.clock.advance(1)


async def test_the_group_is_told_the_offsets_of_queues_with_every_commit() -> None:
    world = DirectoryWorld()
    inputs = {Partition(topic, 0) for topic in world.topics.inputs}
    async with world.all_streams() as running:
        for number in range(3):
            world.kafka.group_offsets.clear()
            world.send(cancel(f"o{number}"), stream=0)
            await running.until(lambda: world.is_caught_up(0))
            assert {
                where for _, where in world.kafka.group_offsets if where.partition == 0
            } == inputs


async def test_what_was_read_of_a_queue_is_deleted_ten_seconds_later() -> None:
    world = DirectoryWorld()
    async with world.all_streams() as running:
        await _round_trips(world, running, "o")
        await _ten_seconds(world, running)
        await running.until(lambda: _begins(world) == _committed(world), "the purge")
        assert min(_begins(world).values()) > 0


async def test_a_stream_goes_on_over_what_was_deleted() -> None:
    world = DirectoryWorld()
    for name in ("first", "second"):
        async with world.all_streams() as running:
            await _round_trips(world, running, name)
            await _ten_seconds(world, running)
            await running.until(lambda: _begins(world) == _committed(world), "the purge")
            await running.kill()
    await world.work()
    await world.check_all()


async def test_nothing_past_the_committed_offset_is_deleted_though_it_was_passed_by() -> None:
    world = DirectoryWorld()
    order_id = world.id_in(1)
    async with world.task(stream=1) as shard:
        world.send(place(order_id, world.users[0]), stream=0)
        await world.run_task(stream=0)
        await shard.until(lambda: world.next_in(world.topics.claims, 1) > 0, "the claim")
        committed = world.next_in(world.topics.claims, 1)
        # A claim that never was: the position goes past it, and nobody commits that.
        await world.crash(0, cancel(order_id))
        world.time_out(world.topics.claims, 1)
        await world.looks(shard)
        log = world.kafka.log(world.topics.claims, 1)
        assert log.end > committed + 1
        world.clock.advance(PURGE_MS)
        await shard.until(lambda: log.begin > 0, "the purge")
        assert log.begin == committed
    await world.work()
    await world.check_all()


async def test_a_purge_that_fails_is_said_and_tried_again_and_holds_nothing_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = DirectoryWorld()
    broker = world.broker()
    async with world.all_streams(broker) as running:
        await _round_trips(world, running, "first")
        for _ in range(4):
            broker.link.fail(Fault.BEFORE, "purge")
        with caplog.at_level(logging.WARNING):
            world.clock.advance(PURGE_MS)
            await running.until(lambda: "trying again in 10 s" in caplog.text, "the warning")
        await _round_trips(world, running, "second")
        await _ten_seconds(world, running)
        await running.until(lambda: _begins(world) == _committed(world), "the purge")
        assert all(one.count(TaskState.RUNNING) == 1 for one in running.watcher.states.values())
    await world.check_all()


async def test_a_purge_that_hangs_holds_up_neither_the_stream_nor_its_end() -> None:
    world = DirectoryWorld()
    broker = world.broker()
    async with world.task(stream=0), world.task(broker, stream=1) as running:
        order_id = world.id_in(1)
        world.send(place(order_id, world.users[0]), stream=0)
        await running.until(world.is_at_rest)
        held = broker.link.hold("purge")
        world.clock.advance(PURGE_MS)
        await running.until(held.reached.is_set, "the purge")
        world.send(cancel(order_id), stream=1)
        await running.until(world.is_at_rest)
    await world.check_all()
