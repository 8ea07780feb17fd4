"""A stream that nobody has ever processed."""

import pytest

from processor.errors import TaskLost
from processor.task.lifecycle import TaskState
from tests.fakes.link import Fault
from tests.task.events import place
from tests.task.world import World

# The commits of a first start: the origin, the take-over, then rounds with events.
TAKE_OVER, WITH_EVENTS = 2, 3


async def test_the_first_rounds_hold_nothing_but_origin_and_position() -> None:
    world = World()
    world.send(place("o1"))
    broker = world.broker()
    taking_over = broker.link.hold("commit", nth=TAKE_OVER)
    with_events = broker.link.hold("commit", nth=WITH_EVENTS)
    async with world.task(broker) as running:
        await running.until(taking_over.reached.is_set, "the take-over")
        assert _written(world) == [(world.topics.progress, b"origin")]
        taking_over.release()
        await running.until(with_events.reached.is_set, "the first events")
        assert _written(world) == [
            (world.topics.progress, b"origin"),
            (world.topics.progress, b"position"),
        ]
        assert world.committed_offset() == 0
        with_events.release()
        await running.until(world.is_caught_up)
    await world.check()


def _written(world: World) -> list[tuple[str, bytes | None]]:
    """The topic and key of everything that was committed."""
    topics = (*world.topics.outputs, *world.topics.queues)
    return [(topic, one.key) for topic in topics for one in world.records(topic)]


async def test_a_first_start_begins_with_the_oldest_event() -> None:
    world = World()
    world.send(place("o1"), place("o2"))
    await world.run_task()
    assert world.answered() == [0, 1]
    assert await world.listed() == ["o1", "o2"]


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize(
    ("call", "nth"), [("fence", 2), ("commit", 1), ("commit", TAKE_OVER)], ids=str
)
async def test_a_first_transaction_that_fails_leaves_a_first_start_behind(
    call: str, nth: int, fault: Fault
) -> None:
    world = World()
    world.send(place("o1"))
    broker = world.broker()
    broker.link.fail(fault, call, nth=nth)
    if (call, nth, fault) == ("commit", 1, Fault.AFTER):
        # The origin is found written.
        await world.run_task(broker=broker)
        assert broker.link.struck == 1
    else:
        with pytest.raises(TaskLost):
            await world.run_task(broker=broker)
        assert world.answers() == []

    await world.run_task()
    await world.check()


# The first two are for the process's own id and for the origin's lock.
CALLS = [
    ("fence", 1),
    ("fence", 2),
    ("committed", 1),
    ("bounds", 1),
    ("topics", 1),
    ("commit", 1),
    ("end", 1),
    ("read", 1),
    ("commit", TAKE_OVER),
    ("end", TAKE_OVER),
]


@pytest.mark.parametrize(("call", "nth"), CALLS, ids=str)
async def test_a_kill_before_the_first_commit_leaves_a_first_start_behind(
    call: str, nth: int
) -> None:
    world = World()
    world.send(place("o1"))
    broker = world.broker()
    held = broker.link.hold(call, nth=nth)
    async with world.task(broker) as running:
        await running.until(held.reached.is_set)
        await running.kill()
    assert world.committed_offset() == -1

    await world.run_task()
    await world.check()


@pytest.mark.parametrize(("call", "nth"), CALLS, ids=str)
async def test_a_cancelled_first_start_leaves_a_first_start_behind(call: str, nth: int) -> None:
    world = World()
    world.send(place("o1"))
    broker = world.broker()
    held = broker.link.hold(call, nth=nth)
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
    broker.link.fail(fault, "commit", nth=WITH_EVENTS)
    with pytest.raises(TaskLost):
        await world.run_task(broker=broker)

    await world.run_task()
    await world.check()
