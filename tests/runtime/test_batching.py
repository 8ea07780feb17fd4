"""When a task commits."""

import asyncio
from collections.abc import Mapping

import pytest

from processor.core.stream import OrderStream
from processor.errors import BrokenInvariant
from processor.runtime.context import TaskSettings
from tests.fakes.broker import FakeBroker, FakeInputs
from tests.fakes.clock import FakeClock
from tests.runtime.events import cancel, place
from tests.runtime.world import World


def _events(count: int) -> list[dict[str, str]]:
    return [cancel(f"o{number}") for number in range(count)]


class SlowBroker(FakeBroker):
    """Every fetch takes time, on the fake clock."""

    clock: FakeClock
    fetch_ms: int

    async def read_inputs(self, stream: int, offsets: Mapping[str, int]) -> FakeInputs:
        reader = await super().read_inputs(stream, offsets)
        fetch = reader.fetch

        async def slow_fetch(*, max_records: int, timeout_ms: int) -> object:
            self.clock.advance(self.fetch_ms)
            return await fetch(max_records=max_records, timeout_ms=timeout_ms)

        reader.fetch = slow_fetch  # type: ignore[method-assign,assignment]
        return reader


async def test_a_lone_event_is_committed_at_once() -> None:
    world = World(settings=TaskSettings(commit_interval_ms=3_600_000))
    broker = world.broker()
    async with world.task(broker) as running:
        await running.until(lambda: world.is_caught_up() and bool(running.watcher.commits))
        calls = len(broker.link.calls)
        world.send(place("o1"))
        # The clock stands still, so no interval ever ends.
        await running.until(world.is_caught_up, "the commit")
    later = broker.link.calls[calls:]
    assert "fetch" not in later[later.index("begin") : later.index("commit")]
    await world.check()


async def test_a_batch_is_complete_at_the_last_record_though_a_marker_follows() -> None:
    world = World(settings=TaskSettings(commit_interval_ms=3_600_000))
    world.send(*_events(3))
    epoch = world.kafka.fence("somebody's")
    world.kafka.send("somebody's", epoch, world.topics.events, 0, [(None, b"aborted", [])])
    world.kafka.abort("somebody's", epoch)
    async with world.task() as running:
        await running.until(lambda: world.answered() == [0, 1, 2], "the commit")
    assert 3 <= world.committed_offset() <= 5


async def test_no_batch_has_more_events_than_allowed() -> None:
    world = World(settings=TaskSettings(max_batch_events=7, commit_interval_ms=3_600_000))
    world.send(*_events(50))
    watcher = await world.run_task()
    assert sum(watcher.commits) == 50
    assert max(watcher.commits) <= 7


async def test_under_load_batches_are_full() -> None:
    world = World(settings=TaskSettings(max_batch_events=2_000, commit_interval_ms=3_600_000))
    world.send(*_events(10_000))
    watcher = await world.run_task()
    assert [count for count in watcher.commits if count] == [2_000] * 5


async def test_a_batch_ends_when_the_commit_interval_is_over() -> None:
    world = World(settings=TaskSettings(max_batch_events=1_000_000, commit_interval_ms=100))
    broker = SlowBroker(world.kafka)
    broker.clock, broker.fetch_ms = world.clock, 40
    world.send(*_events(10_000))
    watcher = await world.run_task(broker=broker)
    batches = [count for count in watcher.commits if count]
    fetches = [len(one) for one in _fetches_by_commit(broker.link.calls)]
    assert len(batches) > 2
    # 40, 80, 120 ms: the fetch that crosses the interval is the last one.
    assert max(fetches) <= 4
    await world.check()


def _fetches_by_commit(calls: list[str]) -> list[list[str]]:
    fetches: list[list[str]] = [[]]
    for call in calls:
        if call == "begin":
            fetches.append([])
        elif call == "fetch":
            fetches[-1].append(call)
    return fetches[1:]


async def test_commit_is_idle_when_nothing_happens() -> None:
    world = World()
    broker = world.broker()
    async with world.task(broker) as running:
        await running.until(lambda: len(running.watcher.commits) == 1, "the first snapshot")
        for _ in range(20):
            await running.grows(lambda: broker.link.calls.count("fetch"), "fetches")
        assert len(running.watcher.commits) == 1


async def test_the_offset_is_refreshed_when_idle() -> None:
    world = World(settings=TaskSettings(offset_refresh_interval_ms=1_000))
    world.send(place("o1"))
    async with world.task() as running:
        await running.until(lambda: world.is_caught_up() and bool(running.watcher.commits))
        for _ in range(3):
            world.kafka.offsets.clear()
            world.clock.advance(1_000)
            await running.until(world.is_caught_up, "the refresh")


async def test_a_stop_commits_the_batch_that_is_open() -> None:
    world = World()
    world.send(place("o1"))
    broker = world.broker()
    async with world.task(broker) as running:
        await running.until(lambda: broker.link.calls.count("commit") == 1, "the first start")
        held = broker.link.hold("commit")
        await running.until(held.reached.is_set, "the batch")
        ending = asyncio.create_task(asyncio.sleep(0))
        ending.add_done_callback(lambda _: held.release())
    assert world.is_caught_up()
    await world.check()


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

    monkeypatch.setattr(OrderStream, "step", boom)
    with pytest.raises(
        BrokenInvariant, match=r"stream 0 .*offset 2 of orders\.events/0.*ZeroDivisionError"
    ):
        await world.run_task()
    assert world.committed_offset() == 2
    assert (world.answers(), world.records(world.topics.live)) == (answers, records)
