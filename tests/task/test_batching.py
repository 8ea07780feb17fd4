"""When a task's events are committed, and with how many others."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from processor.core.orders.stream import OrderStream
from processor.errors import BrokenInvariant
from processor.task.committer import RoundSettings
from processor.task.ports import Partition
from tests.fakes.broker import FakeBroker, FakeInputs
from tests.fakes.link import Hold
from tests.task.events import cancel, place
from tests.task.world import Running, World
from tests.waiting import turns

# What a task applies in one go: a round takes a slice as long as it is not full.
SLICE_EVENTS = 250
# The commits of a first start before there are any events: origin and take-over.
WITH_EVENTS = 3


def _events(count: int) -> list[dict[str, str]]:
    return [cancel(f"o{number}", "alice") for number in range(count)]


async def _idle(world: World, running: Running) -> None:
    """Wait until all is committed, the first snapshot too."""
    await running.until(lambda: bool(world.records(world.topics.snapshots)), "the first snapshot")
    await running.until(world.is_at_rest)


async def _blocked(running: Running, broker: FakeBroker) -> None:
    """Wait until a task asks for no more."""
    seen = -1
    while seen != len(broker.link.calls):
        seen = len(broker.link.calls)
        for _ in range(5):
            await turns()
            await asyncio.sleep(0.002)
    assert not running.job.done()


async def test_a_lone_event_is_committed_at_once() -> None:
    world = World(rounds=RoundSettings(min_interval_ms=3_600_000))
    async with world.task() as running:
        await _idle(world, running)
        world.clock.advance(3_600_000)
        world.send(cancel("o1", "alice"))
        # The clock stands still, so no interval ever ends.
        await running.until(world.is_caught_up, "the commit")
    await world.check()


async def test_a_slice_is_complete_at_the_last_record_though_a_marker_follows() -> None:
    world = World()
    world.send(*_events(3))
    epoch = world.kafka.acquire("somebody's")
    where = Partition(world.topics.events, 0)
    world.kafka.send("somebody's", epoch, where, [(None, b"aborted", [])])
    world.kafka.abort(world.kafka.describe("somebody's"))
    async with world.task() as running:
        await running.until(lambda: world.answered() == [0, 1, 2], "the commit")
    assert 3 <= world.committed_offset() <= 5


async def _fill_a_round(world: World, broker: FakeBroker, running: Running) -> tuple[Hold, int]:
    """Let rounds fill up while one is on its way.

    Returns:
        The commit that is held, and how many events were taken meanwhile.
    """
    held = broker.link.hold("commit", nth=WITH_EVENTS)
    await running.until(held.reached.is_set, "the first round with events")
    on_its_way = sum(running.watcher.commits)
    await _blocked(running, broker)
    events, *_queues = (one for one in broker.readers if not one.closed)
    return held, events.position - on_its_way


async def test_a_round_takes_no_more_events_than_allowed() -> None:
    world = World(rounds=RoundSettings(max_events=600, min_interval_ms=0))
    world.send(*_events(3_000))
    broker = world.broker()
    async with world.task(broker) as running:
        held, _ = await _fill_a_round(world, broker, running)
        held.release()
        await running.until(world.is_caught_up)
    assert sum(running.watcher.commits) == 3_000
    assert max(running.watcher.commits) <= 600 + SLICE_EVENTS - 1
    await world.check()


async def test_under_load_rounds_are_full() -> None:
    world = World(rounds=RoundSettings(max_events=600, min_interval_ms=0))
    world.send(*_events(10_000))
    broker = world.broker()
    async with world.task(broker) as running:
        held, _ = await _fill_a_round(world, broker, running)
        held.release()
        before = len(running.watcher.commits)
        # The one that was held, and the one that was filled meanwhile.
        await running.until(lambda: len(running.watcher.commits) >= before + 2)
        assert running.watcher.commits[before + 1] == 3 * SLICE_EVENTS
        await running.until(world.is_caught_up)
    await world.check()


async def test_a_round_takes_no_more_bytes_than_allowed() -> None:
    world = World(rounds=RoundSettings(max_bytes=50_000, min_interval_ms=0))
    world.send(*_events(10_000))
    broker = world.broker()
    async with world.task(broker) as running:
        held, taken = await _fill_a_round(world, broker, running)
        # Some 200 bytes an answer: the round on its way, one more, and one fetch in hand.
        assert taken <= 4 * SLICE_EVENTS
        held.release()
        await running.until(world.is_caught_up)
    await world.check()


async def test_commit_is_idle_when_nothing_happens() -> None:
    world = World()
    broker = world.broker()
    async with world.task(broker) as running:
        await _idle(world, running)
        commits = broker.link.calls.count("commit")
        for _ in range(20):
            await running.grows(lambda: broker.link.calls.count("fetch"), "fetches")
        assert broker.link.calls.count("commit") == commits


async def test_a_stop_commits_the_round_that_is_open() -> None:
    world = World()
    broker = world.broker()
    async with world.task(broker) as running:
        await _idle(world, running)
        held = broker.link.hold("commit")
        world.send(place("o1"))
        await running.until(held.reached.is_set, "the round")
        asyncio.get_running_loop().call_soon(held.release)
    assert world.is_caught_up()
    await world.check()


class HoldingBroker(FakeBroker):
    """Fetches that find records wait once ``holds`` is set, with the records in hand."""

    def __init__(self, world: World) -> None:
        super().__init__(world.kafka)
        self.holds = False
        self.in_hand, self.released = asyncio.Event(), asyncio.Event()

    async def read_inputs(self, stream: int, offsets: Mapping[str, int]) -> FakeInputs:
        reader = await super().read_inputs(stream, offsets)
        fetch = reader.fetch

        async def holding_fetch(**options: Any) -> object:
            found = await fetch(**options)
            if found and self.holds:
                self.in_hand.set()
                await self.released.wait()
            return found

        reader.fetch = holding_fetch  # type: ignore[method-assign,assignment]
        return reader


async def test_a_stop_with_records_in_hand_commits_what_was_taken_before() -> None:
    world = World()
    broker = HoldingBroker(world)
    async with world.task(broker) as running:
        await _idle(world, running)
        on_its_way = broker.link.hold("commit")
        world.send(place("o1"))
        await running.until(on_its_way.reached.is_set, "the round")
        broker.holds = True
        world.send(place("o2"))
        await running.until(broker.in_hand.is_set, "the fetch")

        async def let_go() -> None:
            await turns()
            broker.released.set()
            await turns()
            ended = running.job.done()
            on_its_way.release()
            assert not ended

        letting_go = asyncio.create_task(let_go())
    await letting_go
    assert world.answered() == [0]


async def test_an_error_in_the_core_names_stream_and_offset_and_commits_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    world.send(place("o1"), place("o2"))
    await world.run_task()
    answers, records = world.answers(), world.records(world.topics.live)
    world.send(place("o3"))

    def boom(*_: object) -> None:
        raise ZeroDivisionError("simulated")

    monkeypatch.setattr(OrderStream, "decide", boom)
    with pytest.raises(
        BrokenInvariant, match=r"stream 0 .*offset 2 of orders\.events/0.*ZeroDivisionError"
    ):
        await world.run_task()
    assert world.committed_offset() == 2
    assert (world.answers(), world.records(world.topics.live)) == (answers, records)
