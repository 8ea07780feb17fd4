"""A stream that nobody has ever processed."""

import pytest

from processor.errors import FootingLost
from processor.runtime.lifecycle import TaskState
from tests.fakes.link import Fault
from tests.runtime.events import place
from tests.runtime.world import World


async def test_the_first_transaction_commits_nothing_but_the_offset() -> None:
    world = World()
    world.send(place("o1"))
    broker = world.broker()
    held = broker.link.hold("fetch")
    async with world.task(broker) as running:
        await running.until(held.reached.is_set, "the first fetch")
        assert world.committed_offset() == 0
        for topic in world.topics.outputs:
            assert world.kafka.log(topic, 0).end == 0
        held.release()
        await running.until(world.is_caught_up)
    await world.check()


async def test_a_first_start_begins_with_the_oldest_event() -> None:
    world = World()
    world.send(place("o1"), place("o2"))
    await world.run_task()
    assert world.answered() == [0, 1]
    assert await world.listed() == ["o1", "o2"]


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("call", ["begin", "commit"])
async def test_a_first_transaction_that_fails_leaves_a_first_start_behind(
    call: str, fault: Fault
) -> None:
    world = World()
    world.send(place("o1"))
    broker = world.broker()
    broker.link.fail(fault, call)
    with pytest.raises(FootingLost):
        await world.run_task(broker=broker)
    assert world.answers() == []

    await world.run_task()
    await world.check()


@pytest.mark.parametrize("call", ["fence", "committed", "bounds", "read", "begin", "commit"])
async def test_a_kill_before_the_first_commit_leaves_a_first_start_behind(call: str) -> None:
    world = World()
    world.send(place("o1"))
    broker = world.broker()
    held = broker.link.hold(call)
    async with world.task(broker) as running:
        await running.until(held.reached.is_set)
        await running.kill()
    assert world.committed_offset() == -1

    await world.run_task()
    await world.check()


@pytest.mark.parametrize("call", ["fence", "committed", "bounds", "read", "begin", "commit"])
async def test_a_cancelled_first_start_leaves_a_first_start_behind(call: str) -> None:
    world = World()
    world.send(place("o1"))
    broker = world.broker()
    held = broker.link.hold(call)
    async with world.task(broker) as running:
        await running.until(held.reached.is_set)
        await running.cancel()
    assert world.committed_offset() == -1
    assert running.watcher.states[0][-1] is TaskState.CLOSED

    await world.run_task()
    await world.check()


@pytest.mark.parametrize("fault", Fault)
async def test_a_kill_in_the_first_transaction_with_events_loses_and_doubles_nothing(
    fault: Fault,
) -> None:
    world = World()
    world.send(place("o1"), place("o2"))
    broker = world.broker()
    broker.link.fail(fault, "commit", nth=2)
    with pytest.raises(FootingLost):
        await world.run_task(broker=broker)

    await world.run_task()
    await world.check()
