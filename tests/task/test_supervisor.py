"""A whole process: how it ends."""

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import pytest

from processor.core.orders.stream import OrderStream
from processor.errors import BrokenInvariant, KafkaUnavailable, UsageError
from processor.task.lifecycle import TaskState
from processor.task.ports import GroupListener, Membership
from tests.fakes.broker import FakeTransactions
from tests.fakes.group import FakeGroup
from tests.fakes.link import Fault
from tests.task.events import place, user_of
from tests.task.world import QUICK, Watcher, World
from tests.waiting import eventually

# What a process does for itself, whatever its streams: own its id, and watch the topics.
OF_THE_PROCESS = {"fence", "topics"}
IMPATIENT = replace(QUICK, stop_timeout_ms=50, leave_timeout_ms=50)


async def test_stop_commits_what_is_open_leaves_the_group_and_ends() -> None:
    world, group = World(2), FakeGroup(2)
    broker, member = world.broker(), group.member()
    world.send(place("o1", user_of(0, 2)))
    async with world.process(broker, member) as running:
        snapshots = world.topics.snapshots
        await running.until(lambda: all(world.records(snapshots, stream) for stream in range(2)))
        await running.until(world.is_at_rest)
        held = broker.link.hold("commit")
        world.send(place("o2", user_of(0, 2)))
        await running.until(held.reached.is_set)
        asyncio.get_running_loop().call_soon(held.release)
    assert world.is_caught_up(0)
    assert group.members == []
    assert {states[-1] for states in running.watcher.states.values()} == {TaskState.CLOSED}
    assert all(reader.closed for reader in broker.readers)
    await world.check(0)


async def test_stop_does_not_wait_for_a_commit_that_hangs() -> None:
    world, group = World(), FakeGroup(1)
    broker = world.broker()
    held = broker.link.hold("commit")
    supervisor = world.supervisor(broker, group.member(), settings=IMPATIENT)
    job = asyncio.create_task(supervisor.run())
    await asyncio.wait_for(held.reached.wait(), 10)
    supervisor.stop()
    started = time.monotonic()
    await asyncio.wait_for(job, 10)
    assert time.monotonic() - started < 1
    assert group.members == []
    assert supervisor.unfinished == [0]


async def test_a_stream_is_unfinished_until_its_task_has_ended() -> None:
    world = World()
    supervisor = world.supervisor(world.broker(), FakeGroup(1).member())
    job = asyncio.create_task(supervisor.run())
    await eventually(lambda: world.is_caught_up(0), what="the stream")
    assert supervisor.unfinished == [0]
    supervisor.stop()
    await asyncio.wait_for(job, 10)
    assert supervisor.unfinished == []


class Stubborn:
    """A `Group` that cannot be left."""

    async def run(self, listener: GroupListener, stop: Awaitable[object]) -> None:
        """Part of `Group`."""
        await stop
        await asyncio.Event().wait()

    async def is_member(self, membership: Membership) -> bool:
        """Part of `Group`."""
        return False


async def test_stop_does_not_wait_for_a_group_that_cannot_be_left() -> None:
    world = World()
    supervisor = world.supervisor(world.broker(), Stubborn(), settings=IMPATIENT)
    job = asyncio.create_task(supervisor.run())
    supervisor.stop()
    await asyncio.wait_for(job, 1)


async def test_stop_before_the_first_assignment_ends_at_once() -> None:
    world, group = World(), FakeGroup(1, by_hand=True)
    broker, member = world.broker(), group.member()
    async with world.process(broker, member) as running:
        await running.until(member.joined.is_set)
    assert OF_THE_PROCESS.issuperset(broker.link.calls)
    assert broker.link.calls.count("fence") <= 1


async def test_an_assignment_that_comes_after_the_stop_starts_nothing() -> None:
    world = World()
    broker = world.broker()
    supervisor = world.supervisor(broker, FakeGroup(1).member())
    supervisor.stop()
    supervisor.on_assigned(frozenset({0}), Membership("a member", 1))
    await asyncio.wait_for(supervisor.run(), 10)
    assert OF_THE_PROCESS.issuperset(broker.link.calls)
    assert broker.link.calls.count("fence") <= 1


async def test_stop_is_not_delayed_by_a_back_off() -> None:
    world, group = World(), FakeGroup(1)
    broker = world.broker()
    broker.link.cut()
    slow = replace(QUICK, retry_backoff_ms=60_000, max_retry_backoff_ms=60_000)
    watcher = Watcher()
    supervisor = world.supervisor(broker, group.member(), watcher=watcher, settings=slow)
    job = asyncio.create_task(supervisor.run())
    await eventually(lambda: watcher.states.get(0, [])[-1:] == [TaskState.CLOSED])
    supervisor.stop()
    await asyncio.wait_for(job, 1)


async def test_an_error_that_the_process_cannot_live_with_ends_run() -> None:
    world = World(2)
    world.send(place("o1", user_of(1, 2)), stream=1)
    world.kafka.append(world.topics.live, 1, [(b"o9", b"somebody's", [])])
    group = FakeGroup(2)
    async with world.process(world.broker(), group.member()) as running:
        with pytest.raises(UsageError, match=r"orders\.live/1 has records"):
            await running.fails()
    assert group.members == []
    assert running.watcher.states[0][-1] is TaskState.CLOSED


async def test_a_broken_invariant_ends_run(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()

    def boom(*_: object) -> None:
        raise ZeroDivisionError("simulated")

    monkeypatch.setattr(OrderStream, "decide", boom)
    world.send(place("o1"))
    async with world.process(world.broker(), FakeGroup(1).member()) as running:
        with pytest.raises(BrokenInvariant, match=r"stream 0 .*offset 0 of orders\.events/0"):
            await running.fails()
    assert world.answers() == []
    assert world.committed_offset() == 0


async def test_an_unexpected_error_outside_the_loop_ends_run_as_a_broken_invariant() -> None:
    world = World()
    broker = world.broker()

    def boom(partitions: object) -> None:
        raise ZeroDivisionError("simulated")

    broker.offsets = boom  # type: ignore[method-assign,assignment]
    async with world.process(broker, FakeGroup(1).member()) as running:
        with pytest.raises(BrokenInvariant, match="stream 0: ZeroDivisionError"):
            await running.fails()


class Refused(Stubborn):
    """A `Group` that does not take us."""

    async def run(self, listener: GroupListener, stop: Awaitable[object]) -> None:
        """Part of `Group`."""
        waiting = asyncio.ensure_future(stop)
        await asyncio.sleep(0)
        waiting.cancel()
        raise KafkaUnavailable("Kafka refuses the group")


async def test_a_group_that_refuses_us_ends_run() -> None:
    world = World()
    supervisor = world.supervisor(world.broker(), Refused())
    with pytest.raises(KafkaUnavailable, match="refuses the group"):
        await asyncio.wait_for(supervisor.run(), 10)


async def test_an_events_topic_that_has_grown_is_refused() -> None:
    world, group = World(2), FakeGroup(3, by_hand=True)
    broker, member = world.broker(), group.member()
    async with world.process(broker, member) as running:
        await running.until(member.joined.is_set)
        await group.rebalance({member: frozenset({0, 1, 2})})
        with pytest.raises(UsageError, match="grown from 2 partitions"):
            await running.fails()
    assert OF_THE_PROCESS.issuperset(broker.link.calls)
    assert broker.link.calls.count("fence") <= 1


async def test_a_committer_that_kafka_refuses_ends_run(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(self: object, *_: object) -> None:
        raise KafkaUnavailable("Kafka refuses the transaction")

    monkeypatch.setattr(FakeTransactions, "commit", refuse)
    world, group = World(), FakeGroup(1)
    async with world.process(world.broker(), group.member()) as running:
        with pytest.raises(KafkaUnavailable, match="refuses the transaction"):
            await running.fails()
    assert group.members == []


async def test_an_unexpected_error_of_the_committer_ends_run_as_a_broken_invariant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def boom(self: object, *_: object) -> None:
        raise ZeroDivisionError("simulated")

    monkeypatch.setattr(FakeTransactions, "acquire", boom)
    world = World()
    async with world.process(world.broker(), FakeGroup(1).member()) as running:
        with pytest.raises(BrokenInvariant, match="the committer failed: ZeroDivisionError"):
            await running.fails()


async def test_a_stream_that_fails_ends_alone_and_the_others_commit_what_they_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(2)
    step = OrderStream.decide
    all_run = False

    def boom(self: OrderStream, *given: Any) -> Any:
        if self.stream == 0 and all_run:
            raise ZeroDivisionError("simulated")
        return step(self, *given)

    monkeypatch.setattr(OrderStream, "decide", boom)
    broker = world.broker()
    async with world.process(broker, FakeGroup(2).member()) as running:
        await running.until(lambda: world.is_caught_up(0) and world.is_caught_up(1))
        all_run = True
        commit = broker.link.hold("commit")
        world.send(place("o1", user_of(1, 2)), stream=1)
        await running.until(commit.reached.is_set, "the round of stream 1")
        world.send(place("o2", user_of(1, 2)), stream=1)
        for _ in range(10):
            await running.grows(lambda: broker.link.calls.count("fetch"), "the next round")
        world.send(place("o0", user_of(0, 2)), stream=0)
        await running.until(lambda: TaskState.CLOSED in running.watcher.states[0])
        commit.release()
        with pytest.raises(BrokenInvariant, match=r"stream 0 .*offset 0 of orders\.events/0"):
            await running.fails()
    assert world.answers(0) == []
    assert world.committed_offset(0) == 0
    await world.check(1)


async def test_passing_trouble_is_retried_until_it_is_over() -> None:
    world, group = World(), FakeGroup(1)
    world.send(place("o1"))
    broker = world.broker()
    for nth in range(1, 6):
        broker.link.fail(Fault.BEFORE, "fence", nth=nth)
    async with world.process(broker, group.member()) as running:
        await running.until(world.is_caught_up)
    # Its own id, and the lock of the origin.
    assert broker.link.calls.count("fence") == 5 + 2
    await world.check()
