"""What a stream's tables belong to: one app, so many streams, these topics and no others."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from processor.errors import LiveOrdersError, UsageError
from processor.topics import Topics
from processor.wire.position import ORIGIN_KEY, Origin, parse_origin
from tests.fakes.broker import FakeBroker
from tests.fakes.group import FakeGroup
from tests.fakes.link import Hold
from tests.task.events import place, user_of
from tests.task.world import Running, World
from tests.waiting import eventually

OTHER_APP = "another-app"


def origins(world: World, stream: int = 0) -> list[Origin]:
    """All that were ever written."""
    return [
        parse_origin(one.value or b"")
        for one in world.records(world.topics.progress, stream)
        if one.key == ORIGIN_KEY.encode()
    ]


async def test_the_first_start_says_whose_the_tables_are_and_later_ones_do_not() -> None:
    world = World(2)
    for _ in range(3):
        await world.run_task(stream=1)
    assert origins(world, 1) == [
        {
            "schema": 1,
            "type": "origin",
            "app_id": "live-orders",
            "generation": 2,
            "topics": {topic: f"id-of-{topic}" for topic in world.topics.all},
        }
    ]


# Another app


async def test_another_app_on_the_same_topics_is_refused() -> None:
    world = World()
    world.send(place("o1"))
    await world.run_task()
    before = world.kafka.log(world.topics.progress, 0).end
    with pytest.raises(
        UsageError, match=r"orders\.\* belong to the app live-orders: run with --app-id live-orders"
    ):
        await world.run_task(broker=FakeBroker(world.kafka, app_id=OTHER_APP))
    assert world.kafka.log(world.topics.progress, 0).end == before


@pytest.mark.parametrize("call", ["commit", "end"])
async def test_an_app_that_is_refused_does_not_disturb_the_one_that_runs(call: str) -> None:
    world = World()
    broker, wrong = world.broker(), FakeBroker(world.kafka, app_id=OTHER_APP)
    async with world.task(broker) as running:
        await running.until(lambda: bool(world.records(world.topics.snapshots)))
        world.send(place("o1"))
        held = broker.link.hold(call)
        await running.until(held.reached.is_set)
        with pytest.raises(UsageError, match="belong to the app"):
            await world.run_task(broker=wrong)
        assert "abort" not in wrong.link.calls
        held.release()
        await running.until(world.is_caught_up)
    await world.check()


STEPS = ["fence", "topics", "bounds", "read", "commit", "end", "committed"]


@pytest.mark.parametrize("first_call", STEPS)
@pytest.mark.parametrize("other_call", STEPS)
async def test_of_two_apps_that_start_at_the_same_moment_one_is_refused(
    first_call: str, other_call: str
) -> None:
    world = World()
    world.send(place("o1"))
    one, other = world.broker(), FakeBroker(world.kafka, app_id=OTHER_APP)
    async with _process(world, one, first_call) as a, _process(world, other, other_call) as b:
        await _let_go(a, b)
        ended = await _one_is_refused(a, b)
        left = b if ended is a else a
        await left.running.until(world.is_caught_up)
    await world.check()
    assert {origin["app_id"] for origin in origins(world)} == {left.broker.app_id}
    assert world.position()["owner"].startswith(f"{left.broker.app_id}:")


@pytest.mark.parametrize("seed", range(5))
async def test_of_two_apps_with_many_streams_one_gets_all_of_them(seed: int) -> None:
    world = World(8)
    for stream in range(8):
        world.send(place(f"o{stream}", user_of(stream, 8)), stream=stream)
    one, other = world.broker(), FakeBroker(world.kafka, app_id=OTHER_APP)
    async with _process(world, one) as a:
        await eventually(lambda: len(one.link.calls) > 5 * seed)
        async with _process(world, other) as b:
            ended = await _one_is_refused(a, b)
            left = b if ended is a else a
            await left.running.until(lambda: all(map(world.is_caught_up, range(8))))
    for stream in range(8):
        await world.check(stream)
        assert {one["app_id"] for one in origins(world, stream)} == {left.broker.app_id}


class _Started:
    """A process of some app, that may stop for a while at some call."""

    def __init__(self, running: Running, broker: FakeBroker, held: Hold | None) -> None:
        self.running = running
        self.broker = broker
        self.held = held


@asynccontextmanager
async def _process(
    world: World, broker: FakeBroker, call: str | None = None
) -> AsyncIterator[_Started]:
    # The first time that it acquires something, it is its own id.
    held = None if call is None else broker.link.hold(call, nth=2 if call == "fence" else 1)
    async with world.process(broker, FakeGroup(world.num_streams).member()) as running:
        yield _Started(running, broker, held)


async def _let_go(a: _Started, b: _Started) -> None:
    """Let both come to where they wait, or as far as they get; then let them go."""
    assert a.held is not None
    assert b.held is not None
    await eventually(lambda: _is_there(a) and _is_there(b))
    a.held.release()
    b.held.release()


def _is_there(one: _Started) -> bool:
    return (one.held is not None and one.held.reached.is_set()) or one.running.job.done()


async def _one_is_refused(a: _Started, b: _Started) -> _Started:
    """Wait until one of both ends because the topics are the other's; that one."""
    jobs = {a.running.job: a, b.running.job: b}
    done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED, timeout=10)
    (ended,) = (jobs[job] for job in done)
    with pytest.raises(LiveOrdersError, match="belong to the app") as refused:
        await ended.running.fails()
    assert isinstance(refused.value, UsageError)
    return ended


@pytest.mark.parametrize("nth", range(2, 8))
async def test_an_app_that_has_the_origin_of_one_stream_gets_all_others_too(nth: int) -> None:
    world = World(4)
    for stream in range(4):
        world.send(place(f"o{stream}", user_of(stream, 4)), stream=stream)
    one, other = world.broker(), FakeBroker(world.kafka, app_id=OTHER_APP)
    held = one.link.hold("fence", nth=nth)
    async with _process(world, one) as a:
        # Held at some lock, or through with all of them.
        await eventually(lambda: held.reached.is_set() or all(map(world.is_caught_up, range(4))))
        async with _process(world, other) as b:
            await eventually(lambda: b.running.job.done() or world.is_at_rest())
            held.release()
            ended = await _one_is_refused(a, b)
            left = b if ended is a else a
            await left.running.until(lambda: all(map(world.is_caught_up, range(4))))
    for stream in range(4):
        assert [one["app_id"] for one in origins(world, stream)] == [left.broker.app_id]
        await world.check(stream)


@pytest.mark.parametrize("nth", [1, 2], ids=["own id", "lock"])
async def test_of_two_processes_with_the_stream_one_writes_the_origin(nth: int) -> None:
    world = World()
    late = world.broker()
    held = late.link.hold("fence", nth=nth)
    async with world.task(late) as running:
        await running.until(held.reached.is_set)
        await world.run_task()
        first = world.position()["owner"]
        held.release()
        await running.until(lambda: world.position()["owner"] != first)
    assert len(origins(world)) == 1


# Other topics


@pytest.mark.parametrize("topic", [one for one in Topics().all if one != Topics().progress])
async def test_a_topic_that_was_made_anew_is_refused_by_the_next_start(topic: str) -> None:
    world = World()
    world.send(place("o1"))
    await world.run_task()
    world.kafka.recreate(topic)
    with pytest.raises(
        UsageError, match=rf"^{re.escape(topic)} was deleted and made anew.*--topic-prefix"
    ):
        await world.run_task()


async def test_progress_that_was_made_anew_is_refused_by_the_next_start() -> None:
    world = World()
    world.send(place("o1"))
    await world.run_task()
    world.kafka.recreate(world.topics.progress)
    with pytest.raises(UsageError, match=r"orders\.progress/0 does not say where the stream"):
        await world.run_task()
    assert world.records(world.topics.progress) == []


async def test_topics_that_were_all_made_anew_are_a_first_start() -> None:
    world = World()
    world.send(place("o1"))
    await world.run_task()
    for topic in world.topics.all:
        world.kafka.recreate(topic)
    world.kafka.group_offsets.clear()
    world.send(place("o2"))
    await world.run_task()
    assert await world.listed() == ["o2"]


async def test_a_topic_that_a_broker_does_not_show_yet_is_not_missed() -> None:
    world = World()
    await world.run_task()
    ids = dict(world.kafka.topic_ids)
    del world.kafka.topic_ids[world.topics.claims]
    world.send(place("o1"))
    await world.run_task()
    world.kafka.topic_ids = ids
    await world.run_task()
    await world.check()
