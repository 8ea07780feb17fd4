"""Messages between streams and shards of one process, which skip the queues."""

import json
from typing import Any

from processor.core.directory.claim_records import claim_records
from processor.core.directory.messages import Command
from processor.core.directory.routed_records import routed_records
from tests.fakes.group import FakeGroup
from tests.task.directory_world import GRACE_MS, DirectoryWorld
from tests.task.events import cancel, cancel_all, pause, place, resume
from tests.task.late_world import at, late_settings


def _queued(world: DirectoryWorld) -> int:
    """How many records there ever were in the queues."""
    return sum(
        len(world.records(topic, stream))
        for topic in world.topics.queues
        for stream in range(world.num_streams)
    )


async def _work(*told: tuple[int, dict[str, Any]], num_streams: int = 2) -> DirectoryWorld:
    """A process that has all streams does what it is told, one event after the other."""
    world = DirectoryWorld(num_streams, together=True)
    async with world.all_streams() as running:
        for stream, event in told:
            user = event.pop("of", None)
            if user is not None:
                event["user_id"] = world.users[user]
            world.send(event, stream=stream)
            await running.until(world.is_at_rest, "at rest")
    return world


def _place(order_id: str, user: int) -> dict[str, Any]:
    return {**place(order_id), "of": user}


async def test_a_command_by_id_alone_is_answered_in_the_transaction_that_reads_it() -> None:
    world = await _work((0, _place("o1", 0)), (1, cancel("o1")))
    assert world.results_of(1, 0) == ["0: applied"]
    assert _queued(world) == 0
    await world.check_all()


async def test_a_place_of_an_id_that_another_stream_has_is_rejected_at_once() -> None:
    world = await _work((0, _place("o1", 0)), (1, _place("o1", 1)))
    assert world.results_of(1, 0) == ["1: duplicate_order"]
    assert world.records(world.topics.live, 1) == []
    assert _queued(world) == 0
    await world.check_all()


async def test_an_id_is_free_again_in_the_very_next_event() -> None:
    world = DirectoryWorld(together=True)
    async with world.all_streams() as running:
        world.send(place("o1", world.users[0]), stream=0)
        await running.until(world.is_at_rest, "at rest")
        world.send(cancel("o1"), place("o1", world.users[1]), stream=1)
        await running.until(world.is_at_rest, "at rest")
    assert [world.finals()[1, offset] for offset in (0, 1)] == ["0: applied", "1: applied"]
    assert _queued(world) == 0
    await world.check_all()


async def test_an_event_in_the_wrong_partition_is_answered_at_once_by_its_stream() -> None:
    world = await _work((0, _place("o1", 1)), (0, {**pause("o1"), "of": 1}))
    assert world.results_of(0, 0) == ["1: applied"]
    assert world.results_of(0, 1) == ["1: applied"]
    assert await world.listed() == ["o1(paused)"]
    assert _queued(world) == 0
    await world.check_all()


async def test_a_command_for_an_id_that_nobody_has_is_forwarded_and_parked() -> None:
    world = DirectoryWorld(together=True)
    async with world.all_streams() as running:
        world.send(cancel("o1"), stream=1)
        await running.until(lambda: world.is_at_rest() and world.parked() == 1, "parked")
        world.send(place("o1", world.users[0]), stream=0)
        await running.until(lambda: world.is_at_rest() and world.parked() == 0, "met")
    assert world.results_of(1, 0) == ["0: applied", "1: forwarded"]
    assert _queued(world) == 0
    await world.check_all()


async def test_a_parked_command_is_answered_when_its_time_is_over() -> None:
    world = DirectoryWorld(together=True)
    async with world.all_streams() as running:
        world.send(cancel("o1"), stream=1)
        await running.until(lambda: world.is_at_rest() and world.parked() == 1, "parked")
        world.clock.advance(GRACE_MS)
        await running.until(lambda: world.parked() == 0, "the answer")
    assert world.results_of(1, 0)[0].endswith("unknown_order") or world.results_of(1, 0)[
        1
    ].endswith("unknown_order")
    assert _queued(world) == 0
    await world.check_all()


async def test_changes_of_one_order_stand_in_the_table_in_their_order() -> None:
    world = DirectoryWorld(together=True)
    async with world.all_streams() as running:
        world.send(pause("o1"), stream=1)
        await running.until(lambda: world.is_at_rest() and world.parked() == 1, "parked")
        world.send(place("o1", world.users[0]), place("o2", world.users[0]), stream=0)
        await running.until(lambda: world.is_at_rest() and world.parked() == 0, "met")
    assert world.seqs(0) == [1, 2, 3]
    keys = [one.key for one in world.records(world.topics.live, 0)]
    assert keys == [b"o1", b"o1", b"o2"]


async def test_what_was_told_directly_is_restored_with_the_rest() -> None:
    world = await _work(
        (0, _place("o1", 0)), (1, pause("o1")), (1, _place("o2", 1)), (0, cancel("o2"))
    )
    await world.work()
    world.send(resume("o1"), stream=1)
    await world.work()
    assert await world.listed() == ["o1"]
    await world.check_all()


async def test_messages_to_a_stream_of_another_process_go_through_the_queues() -> None:
    world = DirectoryWorld()
    world.send(place(world.id_in(1), world.users[0]), stream=0)
    await world.work()
    assert [len(world.records(world.topics.claims, shard)) for shard in (0, 1)] == [0, 1]
    await world.check_all()


async def test_a_shard_that_comes_to_the_process_is_told_directly_once_its_queue_is_read() -> None:
    world, group = DirectoryWorld(), FakeGroup(2, by_hand=True)
    world.kafka.group = group
    order_id = world.id_in(1)
    async with world.process(world.broker(), one := group.member()) as first:
        async with world.process(world.broker(), other := group.member()) as second:
            await first.until(one.joined.is_set)
            await second.until(other.joined.is_set)
            await group.rebalance({one: frozenset({0}), other: frozenset({1})})
            world.send(place(order_id, world.users[0]), stream=0)
            await first.until(lambda: world.committed_offset(0) == 1, "the claim is sent")
            await second.until(world.is_at_rest, "the claim is read")
            assert _queued(world) == 1
            await group.rebalance({one: frozenset({0, 1}), other: frozenset()})
        await first.until(world.is_at_rest, "both run")
        world.send(cancel_all(world.users[0]), stream=0)
        await first.until(world.is_at_rest, "at rest")
    assert _queued(world) == 1
    await world.check_all()


async def test_a_message_does_not_overtake_the_queue_that_was_fetched_with_it() -> None:
    world = DirectoryWorld(together=True)
    order_id = world.id_in(0)
    world.send(place(order_id, world.users[0]), stream=0)
    await world.work()
    # Stream 1 was another process's: its pause is with the stream, its resume with the shard.
    commands: list[Command] = [
        ("command", order_id, 1, offset, (None, json.dumps(one).encode(), [], 0))
        for offset, one in enumerate([pause(order_id), resume(order_id)])
    ]
    paused, resumed = commands
    routed = routed_records([("routed_command", 0, 1, paused)])
    world.kafka.append(world.topics.routed, 0, routed[0])
    world.kafka.append(world.topics.claims, 0, claim_records([resumed], world.num_streams)[0])
    await world.work()
    assert await world.listed() == [order_id]
    assert [world.results_of(1, offset) for offset in (0, 1)] == [["0: applied"]] * 2


def _held(world: DirectoryWorld) -> int:
    """Up to where stream 0 has read what is routed to it, and its events."""
    mark = world.position(0)["reorder"]
    return mark["events_read"] + mark["routed_read"]


async def test_a_stream_that_holds_events_is_told_through_its_queue() -> None:
    world = DirectoryWorld(settings=late_settings(), together=True)
    async with world.all_streams() as running:
        world.send(at(0, place("o1", world.users[0])), stream=0)
        await running.until(lambda: _held(world) == 1, "held")
        world.clock.advance(3_600_000)
        await running.until(world.is_at_rest, "released")
        world.send(at(3_600_000, cancel("o1")), stream=1)
        await running.until(lambda: _held(world) > 1, "the command is routed, and held")
        world.clock.advance(3_600_000)
        await running.until(world.is_at_rest, "released")
    assert len(world.records(world.topics.routed, 0)) == 1
    assert await world.listed() == []
    await world.check_all()
