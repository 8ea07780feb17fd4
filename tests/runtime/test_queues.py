"""The queues between tasks: their offsets, and how they are emptied."""

import logging

import pytest

from processor.errors import FootingLost
from processor.runtime.context import TaskSettings
from tests.fakes.link import Fault
from tests.runtime.directory_world import DirectoryWorld
from tests.runtime.events import cancel, place
from tests.runtime.world import APP_ID, Running

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


async def test_the_offsets_of_queues_are_committed_with_every_commit() -> None:
    world = DirectoryWorld()
    async with world.all_streams() as running:
        for number in range(3):
            world.kafka.queue_offsets.clear()
            world.send(cancel(f"o{number}"), stream=0)
            await running.until(lambda: world.is_caught_up(0))
            assert set(world.kafka.queue_offsets[APP_ID, 0]) == set(world.topics.queues)


async def test_the_offsets_of_queues_are_refreshed_when_idle() -> None:
    world = DirectoryWorld(settings=TaskSettings(offset_refresh_interval_ms=1_000))
    async with world.all_streams() as running:
        await _round_trips(world, running, "o")
        before = _committed(world)
        assert min(before.values()) > 0
        for _ in range(3):
            world.kafka.queue_offsets.clear()
            world.clock.advance(1_000)
            await running.until(lambda: world.is_at_rest() and len(world.kafka.queue_offsets) == 2)
            assert all(after >= before[where] for where, after in _committed(world).items())


async def test_what_was_read_of_a_queue_is_deleted_ten_seconds_later() -> None:
    world = DirectoryWorld()
    async with world.all_streams() as running:
        await _round_trips(world, running, "o")
        world.clock.advance(PURGE_MS - 1)
        await world.looks(running)
        assert set(_begins(world).values()) == {0}
        world.clock.advance(1)
        await running.until(lambda: _begins(world) == _committed(world), "the purge")
        assert min(_begins(world).values()) > 0


async def test_a_stream_goes_on_over_what_was_deleted() -> None:
    world = DirectoryWorld()
    for name in ("first", "second"):
        async with world.all_streams() as running:
            await _round_trips(world, running, name)
            world.clock.advance(PURGE_MS)
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
        crashing = world.broker()
        crashing.link.fail(Fault.HALF, "commit")
        world.send(cancel(order_id), stream=0)
        with pytest.raises(FootingLost):
            await world.run_task(stream=0, broker=crashing)
        await world.broker().fence(0)
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
        world.clock.advance(PURGE_MS)
        await running.until(lambda: _begins(world) == _committed(world), "the purge")
        assert broker.link.calls.count("fence") == 2
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
