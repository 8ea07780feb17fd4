"""Snapshots of a running task, and what readers make of them."""

import json

import pytest

from processor.core.orders.snapshot import SnapshotPolicy
from processor.reader.view import Snapshot, SnapshotTable
from processor.task import loop
from processor.task.committer import RoundSettings
from processor.task.context import TaskSettings
from tests.fakes.link import Fault
from tests.task.events import cancel, cancel_all, pause, place
from tests.task.world import Running, World

EVERY_SECOND = TaskSettings(snapshots=SnapshotPolicy(interval_ms=1_000))
IN_SLICES = TaskSettings(snapshots=SnapshotPolicy(interval_ms=1_000, slice_bytes=600))


def _ends(world: World, stream: int = 0) -> list[str]:
    """The slots of the snapshots that were finished, in order."""
    records = world.records(world.topics.snapshots, stream)
    return [slot for one in records for slot in ("a", "b") if one.key == f"{slot}/end".encode()]


def _latest(world: World) -> Snapshot:
    table = SnapshotTable()
    for one in world.records(world.topics.snapshots):
        table.put(one.key, one.value)
    found = table.latest()
    assert found is not None
    return found


def _listed(snapshot: Snapshot) -> list[str]:
    return [order.label() for order in snapshot.orders]


async def _idle(world: World, running: Running) -> None:
    """Wait until the task has looked around some more, and found nothing to do."""
    commits = running.watcher.commits
    seen = -1
    while seen != len(commits):
        seen = len(commits)
        for _ in range(10):
            await running.grows(lambda: running.link.calls.count("fetch"), "fetches")


async def _take_one(world: World) -> None:
    """A task, from its start to the end of its first snapshot and of all input."""
    async with world.task() as running:
        await running.grows(lambda: len(_ends(world)), "a snapshot")
        await running.until(world.is_caught_up)


async def test_a_task_begins_with_a_snapshot_even_of_nothing() -> None:
    world = World()
    async with world.task() as running:
        await running.until(lambda: _ends(world) == ["a"], "the snapshot")
    latest = _latest(world)
    assert latest.orders == []
    assert latest.begin["as_of_offset"] == 0


async def test_a_change_leads_to_one_more_snapshot_after_the_interval() -> None:
    world = World(settings=EVERY_SECOND)
    async with world.task() as running:
        await running.until(lambda: _ends(world) == ["a"])
        world.send(place("o1"))
        await running.until(world.is_caught_up)
        await _idle(world, running)
        assert _ends(world) == ["a"]

        world.clock.advance(1_000)
        await running.until(lambda: len(_ends(world)) == 2, "the second snapshot")
        world.clock.advance(5_000)
        await _idle(world, running)
        assert _ends(world) == ["a", "b"]
    assert _listed(_latest(world)) == ["o1"]


async def test_events_that_change_nothing_lead_to_no_snapshot() -> None:
    world = World(settings=EVERY_SECOND)
    async with world.task() as running:
        await running.until(lambda: _ends(world) == ["a"])
        world.send(cancel("nothing", "alice"), b"bad", cancel_all())
        await running.until(world.is_caught_up)
        world.clock.advance(5_000)
        await _idle(world, running)
        assert _ends(world) == ["a"]


async def test_slots_alternate_across_restarts() -> None:
    world = World()
    for number in range(4):
        world.send(place(f"o{number}"))
        await world.run_task()
    async with world.task() as running:
        await running.until(lambda: len(_ends(world)) == 5)
    assert _ends(world) == ["a", "b", "a", "b", "a"]
    assert _listed(_latest(world)) == ["o0", "o1", "o2", "o3"]


async def test_a_restored_task_lists_orders_as_they_were_placed() -> None:
    world = World()
    world.send(place("o1"), place("o2"), place("o3"), pause("o1", "alice"))
    await world.run_task()
    await _take_one(world)
    assert _listed(_latest(world)) == ["o1(paused)", "o2", "o3"]


async def test_snapshot_ids_are_never_used_twice() -> None:
    world = World()
    for _ in range(3):
        await _take_one(world)
    begins = [
        json.loads(one.value)["snapshot_id"]
        for one in world.records(world.topics.snapshots)
        if one.key in (b"a/begin", b"b/begin") and one.value
    ]
    assert len(begins) == len(set(begins)) == 3


async def test_the_last_whole_snapshot_stays_readable_while_the_next_is_half_written() -> None:
    world = World(settings=IN_SLICES)
    names = [f"o{number}" for number in range(20)]
    world.send(*map(place, names))
    await world.run_task()
    broker = world.broker()
    async with world.task(broker) as running:
        await running.until(lambda: len(_ends(world)) == 2, "a whole snapshot")
        whole = _latest(world)
        world.send(place("new"), cancel("o0", "alice"))
        await running.until(world.is_caught_up)
        # Only a reader who starts from the snapshot can know what is in it.
        world.kafka.log(world.topics.live, 0).delete_before(whole.begin["live_offset"])
        world.clock.advance(1_000)
        held = broker.link.hold("commit")
        for _ in range(5):
            await running.until(held.reached.is_set, "a slice")
            assert _latest(world) == whole
            assert await world.listed() == [*names[1:], "new"]
            before, held = held, broker.link.hold("commit")
            before.release()
        held.release()
        await running.until(lambda: len(_ends(world)) == 3, "the end of the snapshot")
    assert _listed(_latest(world)) == [*names[1:], "new"]


async def test_a_snapshot_cut_short_by_a_crash_is_never_taken_for_whole() -> None:
    world = World(settings=IN_SLICES)
    names = [f"o{number}" for number in range(20)]
    world.send(*map(place, names))
    await world.run_task()
    for nth in range(2, 6):
        broker = world.broker()
        async with world.task(broker) as running:
            broker.link.fail(Fault.HALF, "commit", nth=nth)
            await running.until(lambda: running.job.done(), "the crash")
            await running.kill()
        assert await world.listed() == names
    await world.run_task()
    assert await world.listed() == names


async def test_chunks_left_over_from_a_longer_list_are_removed() -> None:
    world = World(settings=IN_SLICES)
    world.send(*(place(f"o{number}") for number in range(20)))
    for _ in range(3):  # then both slots are long
        await _take_one(world)
    world.send(cancel_all())
    for _ in range(3):
        await _take_one(world)
    log = world.kafka.log(world.topics.snapshots, 0)
    log.compact(drop_tombstones=True)
    assert {one.key for one in log.records()} == {b"a/begin", b"a/end", b"b/begin", b"b/end"}
    assert await world.listed() == []


async def test_events_go_on_while_a_long_snapshot_is_written() -> None:
    world = World(settings=IN_SLICES)
    world.send(*(place(f"o{number}") for number in range(50)))
    await world.run_task()
    broker = world.broker()
    async with world.task(broker) as running:
        held = broker.link.hold("commit")
        await running.until(held.reached.is_set, "the first slice")
        world.send(place("meanwhile"))
        for _ in range(3):
            await running.until(held.reached.is_set, "a slice")
            before, held = held, broker.link.hold("commit")
            before.release()
        await running.until(held.reached.is_set, "a slice")
        assert world.is_caught_up()
        assert _ends(world) == ["a"]
        held.release()
        await running.until(lambda: _ends(world) == ["a", "b"], "the end of the snapshot")
    assert "meanwhile" in await world.listed()


async def test_a_snapshot_says_where_the_changes_after_it_begin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop, "_SLICE_EVENTS", 3)
    world = World(settings=EVERY_SECOND, rounds=RoundSettings(max_events=3, min_interval_ms=0))
    for number in range(10):
        world.send(*(place(f"o{number}-{n}") for n in range(7)))
        world.clock.advance(1_000)
        await _take_one(world)
        begin = _latest(world).begin
        log = world.kafka.log(world.topics.live, 0)
        for one, seq in zip(log.records(), world.seqs(), strict=True):
            assert one.offset >= begin["live_offset"] or seq <= begin["as_of_seq"]
    await world.check()
