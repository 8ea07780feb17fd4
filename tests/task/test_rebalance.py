"""Streams that move, or may: suspend, resume, let go, come back."""

import asyncio
import logging

import pytest

from processor.task.lifecycle import TaskState
from processor.task.ports import Membership
from tests.fakes.broker import FakeBroker, FakeReader
from tests.fakes.group import FakeGroup, FakeMember
from tests.fakes.link import Fault
from tests.task.events import pause, place, user_of
from tests.task.world import Running, World
from tests.waiting import eventually, turns

BOTH = frozenset({0, 1})


def _reading(broker: FakeBroker) -> list[FakeReader]:
    return [one for one in broker.readers if not one.closed]


def _has_read_all(world: World, broker: FakeBroker) -> bool:
    events, *_queues = _reading(broker)
    return events.position == world.kafka.log(world.topics.events, 0).end


def _group(world: World) -> FakeGroup:
    """A group that the broker asks who may commit."""
    world.kafka.group = FakeGroup(world.num_streams, by_hand=True)
    return world.kafka.group


def _fences(broker: FakeBroker) -> int:
    """How often the process has acquired an id: its own, or the lock of an origin."""
    return broker.link.calls.count("fence")


async def _owning(world: World, running: Running, group: FakeGroup, member: FakeMember) -> None:
    """Bring a process to where it owns all streams and has nothing to do."""
    await running.until(member.joined.is_set)
    await group.rebalance({member: frozenset(range(world.num_streams))})
    await running.until(
        lambda: (
            all(world.is_caught_up(stream) for stream in range(world.num_streams))
            and all(world.records(world.topics.snapshots, n) for n in range(world.num_streams))
        ),
        "running",
    )


async def test_a_revoked_task_finishes_its_transaction_first() -> None:
    world = World()
    group = _group(world)
    broker, member = world.broker(), group.member()
    async with world.process(broker, member) as running:
        await _owning(world, running, group, member)
        held = broker.link.hold("commit")
        world.send(place("o1"))
        await running.until(held.reached.is_set, "the transaction")
        rebalance = asyncio.create_task(group.rebalance({member: frozenset({0})}))
        await turns()
        assert not rebalance.done()

        held.release()
        await rebalance
        assert world.is_caught_up()
    await world.check()


async def test_a_suspended_task_commits_nothing_until_its_stream_is_back() -> None:
    world = World()
    group = _group(world)
    broker, member, other = world.broker(), group.member(), group.member()
    async with world.process(broker, member) as running:
        await _owning(world, running, group, member)
        slow = _SlowToLetGo()
        group.members.append(other)
        other.listen(slow)
        rebalance = asyncio.create_task(group.rebalance({member: frozenset({0})}))
        await running.until(slow.asked.is_set)
        world.send(place("o1"))
        await running.until(lambda: _has_read_all(world, broker), "the read")
        await turns()
        assert not world.is_caught_up()

        slow.lets_go.set()
        await rebalance
        await running.until(world.is_caught_up)
    await world.check()


class _SlowToLetGo:
    """A `GroupListener` of another process, which keeps a rebalance open."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.lets_go = asyncio.Event()

    async def on_revoked(self) -> None:
        """Part of `GroupListener`."""
        self.asked.set()
        await self.lets_go.wait()

    def on_assigned(self, streams: frozenset[int], membership: Membership) -> None:
        """Part of `GroupListener`."""


async def test_a_stream_that_comes_straight_back_goes_on_without_restoring() -> None:
    world = World(2)
    group = _group(world)
    broker, member = world.broker(), group.member()
    users = [user_of(stream, 2) for stream in BOTH]
    async with world.process(broker, member) as running:
        await _owning(world, running, group, member)
        fences = _fences(broker)
        for number in range(3):
            await group.rebalance({member: BOTH})
            for stream, user in enumerate(users):
                world.send(place(f"o{stream}-{number}", user), stream=stream)
            await running.until(lambda: world.is_caught_up(0) and world.is_caught_up(1))
        assert _fences(broker) == fences
        assert running.watcher.states[0] == [
            TaskState.TAKING_OVER,
            TaskState.RESTORING,
            TaskState.RUNNING,
        ]
    await world.check(0)
    await world.check(1)


async def test_a_task_whose_stream_moved_ends_and_writes_nothing_more() -> None:
    world = World(2)
    group = _group(world)
    broker, member = world.broker(), group.member()
    async with world.process(broker, member) as running:
        await _owning(world, running, group, member)
        await group.rebalance({member: frozenset({1})})
        await running.until(lambda: running.watcher.states[0][-1] is TaskState.CLOSED)
        world.send(place("o0", user_of(0, 2)), stream=0)
        world.send(place("o1", user_of(1, 2)), stream=1)
        await running.until(lambda: world.is_caught_up(1))
        assert world.answers(0) == []
        assert len(_reading(broker)) == len(world.topics.inputs)


async def test_a_stream_moves_to_another_process_and_back() -> None:
    world = World()
    group = _group(world)
    one, other = group.member(), group.member()
    async with (
        world.process(world.broker(), one) as first,
        world.process(world.broker(), other) as second,
    ):
        await _owning(world, first, group, one)
        await second.until(other.joined.is_set)
        for number, owner in enumerate([other, one, other, one]):
            await group.rebalance({owner: frozenset({0})})
            world.send(place(f"o{number}"))
            await first.until(world.is_caught_up)
    await world.check()
    assert await world.listed() == ["o0", "o1", "o2", "o3"]


async def test_processes_that_come_and_go_share_the_streams_and_lose_nothing() -> None:
    world, group = World(7), FakeGroup(7)
    users = [user_of(stream, 7) for stream in range(7)]

    def send(name: str) -> None:
        for stream, user in enumerate(users):
            world.send(place(f"{name}-{stream}", user), stream=stream)

    def done() -> bool:
        return all(map(world.is_caught_up, range(7)))

    async with world.process(world.broker(), group.member()) as first:
        send("a")
        await first.until(done)
        send("b")
        async with world.process(world.broker(), group.member()) as second:
            send("c")
            await second.until(done)
            async with world.process(world.broker(), group.member()) as third:
                send("d")
                await third.until(done)
            send("e")
        send("f")
        await first.until(done)
    for stream in range(7):
        await world.check(stream)
        assert len(world.answers(stream)) == 6


async def test_a_woken_zombie_writes_nothing_and_stays_away() -> None:
    world = World()
    group = _group(world)
    broker, asleep, awake = world.broker(), group.member(), group.member()
    async with (
        world.process(broker, asleep) as zombie,
        world.process(world.broker(), awake) as owner,
    ):
        await _owning(world, zombie, group, asleep)
        held = broker.link.hold("commit")
        world.send(place("o1"))
        await zombie.until(held.reached.is_set)
        # It sleeps in the middle of a transaction; the group goes on without it.
        group.expel(asleep)
        await owner.until(awake.joined.is_set)
        await group.rebalance({awake: frozenset({0})})
        await owner.until(world.is_caught_up)
        fences = _fences(broker)

        held.release()
        await zombie.until(lambda: asleep.asked >= 3, "asking whether the stream is its own")
        world.send(place("o2"))
        await owner.until(world.is_caught_up)
        assert _fences(broker) == fences
        assert _starts(zombie) == 1
    await world.check()


async def test_a_task_that_was_cut_off_comes_back_once_the_group_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    world = World()
    group = _group(world)
    broker, member = world.broker(), group.member()
    async with world.process(broker, member) as running:
        await _owning(world, running, group, member)
        await group.rebalance({member: frozenset({0})})
        group.confirms = False
        # Somebody else takes the stream, and gives it back without this process being told.
        world.kafka.group = None
        await world.run_task()
        world.kafka.group = group
        world.send(place("o1"))
        await running.until(lambda: member.asked >= 3, "asking whether the stream is its own")
        assert _starts(running) == 1
        assert not world.is_caught_up()
        assert caplog.text.count("the group does not say that the stream is ours") == 1

        group.confirms = True
        await running.until(world.is_caught_up, "the return")
        assert _starts(running) == 2
    await world.check()


def _starts(running: Running) -> int:
    """How many tasks stream 0 has had."""
    return running.watcher.states[0].count(TaskState.TAKING_OVER)


async def test_a_task_that_failed_does_not_return_while_its_stream_may_be_moving() -> None:
    world = World()
    group = _group(world)
    broker, member, other = world.broker(), group.member(), group.member()
    async with world.process(broker, member) as running:
        await _owning(world, running, group, member)
        held = broker.link.hold("commit")
        broker.link.fail(Fault.BEFORE, "commit")
        world.send(place("o1"))
        await running.until(held.reached.is_set)
        slow = _SlowToLetGo()
        group.members.append(other)
        other.listen(slow)
        rebalance = asyncio.create_task(group.rebalance({member: frozenset({0})}))
        await running.until(slow.asked.is_set)
        held.release()
        await running.until(lambda: running.watcher.states[0][-1] is TaskState.CLOSED)
        await turns()
        assert _starts(running) == 1

        slow.lets_go.set()
        await rebalance
        await running.until(world.is_caught_up)
        assert _starts(running) == 2
    await world.check()


async def test_a_transaction_that_hangs_does_not_hold_a_rebalance_up_for_ever() -> None:
    world = World()
    group = _group(world)
    broker, member = world.broker(), group.member()
    async with world.process(broker, member, suspend_timeout_ms=20) as running:
        await _owning(world, running, group, member)
        fences = _fences(broker)
        held = broker.link.hold("commit")
        world.send(place("o1"))
        await running.until(held.reached.is_set)
        async with asyncio.timeout(5):
            await group.rebalance({member: frozenset({0})})
        # It is still ours: a new task does what the hanging one did not.
        await running.until(world.is_caught_up)
        assert _fences(broker) == fences + 1
        assert _starts(running) == 2
    await world.check()


# The origin takes one fetch; the last position two, one of them for the marker at the end.
@pytest.mark.parametrize(("nth", "state"), [(1, TaskState.TAKING_OVER), (4, TaskState.RESTORING)])
async def test_a_rebalance_while_a_task_restores_does_not_wait_for_the_restore(
    nth: int, state: TaskState
) -> None:
    world = World()
    world.send(place("o1"))
    await world.run_task()
    group = _group(world)
    broker, member = world.broker(), group.member()
    async with world.process(broker, member) as running:
        await running.until(member.joined.is_set)
        held = broker.link.hold("fetch", nth=nth)
        await group.rebalance({member: frozenset({0})})
        await running.until(held.reached.is_set, "the restore")
        async with asyncio.timeout(1):
            await group.rebalance({member: frozenset({0})})
        assert running.watcher.states[0][-1] is state
        held.release()
        world.send(place("o2"))
        await running.until(world.is_caught_up)
        assert _starts(running) == 1
    await world.check()


# In the take-over, after it, between two tables, and when all of them are read.
@pytest.mark.parametrize(
    ("call", "nth"), [("fetch", 1), ("read", 2), ("read", 3), ("read", 4), ("read", 6)], ids=str
)
async def test_a_stream_that_moved_there_and_back_while_it_was_restored_is_restored_anew(
    call: str, nth: int
) -> None:
    world = World()
    async with world.task() as first:
        world.send(place("o1"))
        await first.until(world.is_at_rest)
    group = _group(world)
    broker, member, other = world.broker(), group.member(), group.member()
    async with world.process(broker, member) as running:
        await running.until(member.joined.is_set)
        held = broker.link.hold(call, nth=nth)
        await group.rebalance({member: frozenset({0})})
        await running.until(held.reached.is_set, "the restore")
        # It sleeps; the group goes on without it, and takes it in again.
        group.expel(member)
        async with world.process(world.broker(), other) as owner:
            await owner.until(other.joined.is_set)
            await group.rebalance({other: frozenset({0})})
            world.send(place("o2"), pause("o1", "alice"))
            await owner.until(world.is_caught_up)
        group.members.append(member)
        await group.rebalance({member: frozenset({0})})
        held.release()
        world.send(place("o3"))
        await running.until(world.is_caught_up)
    await world.check()


async def test_a_stream_that_goes_away_during_its_restore_is_let_go() -> None:
    world = World()
    world.send(place("o1"))
    await world.run_task()
    group = _group(world)
    broker, member = world.broker(), group.member()
    async with world.process(broker, member) as running:
        await running.until(member.joined.is_set)
        held = broker.link.hold("fetch")
        await group.rebalance({member: frozenset({0})})
        await running.until(held.reached.is_set, "the restore")
        await group.rebalance({member: frozenset()})
        held.release()
        await running.until(lambda: running.watcher.states[0][-1] is TaskState.CLOSED)
        assert TaskState.RUNNING not in running.watcher.states[0]
    assert all(reader.closed for reader in broker.readers)


async def test_a_stream_that_is_back_before_its_old_task_has_ended_gets_a_new_one() -> None:
    world = World()
    group = _group(world)
    broker, member = world.broker(), group.member()
    async with world.process(broker, member) as running:
        await _owning(world, running, group, member)
        await group.rebalance({member: frozenset()})
        world.send(place("o1"))
        await group.rebalance({member: frozenset({0})})
        await running.until(world.is_caught_up)
        await eventually(lambda: len(_reading(broker)) == len(world.topics.inputs))
    await world.check()
