"""What waits for its time when a task ends: nothing of it is lost, doubled or judged anew."""

from dataclasses import replace

import pytest

from processor.errors import TaskLost, UsageError
from processor.reader.view import SnapshotTable
from tests.fakes.link import Fault
from tests.task.events import cancel, pause, place, resume
from tests.task.late_world import WINDOW_MS, LateWorld, at, late_settings

REJECT = late_settings(late_events="reject")


async def _holding(world: LateWorld) -> None:
    """Offsets 1 and 3 are finished, 0, 2 and 4 wait; the place is the last one that was read."""
    async with world.task() as running:
        await world.read(
            running,
            at(2, resume("o1"), user_id="alice"),
            at(-WINDOW_MS, place("o9")),
            at(1, pause("o1"), user_id="alice"),
            b"no event",
            at(0, place("o1")),
        )
        await running.until(lambda: len(world.answers()) == 2, "what need not wait")
    assert world.outcomes() == ["1: applied", "3: malformed"]


async def test_the_committed_offset_is_that_of_the_oldest_event_that_waits() -> None:
    world = LateWorld()
    await _holding(world)
    assert world.committed_offset() == 0
    assert world.position()["reorder"] == {
        "released_us": 1_767_225_600_000_000 - WINDOW_MS * 1000,
        "events_read": 5,
        "routed_read": 0,
    }


@pytest.mark.parametrize("compacted", [False, True])
async def test_a_restart_holds_what_was_held_and_repeats_nothing(compacted: bool) -> None:
    world = LateWorld(settings=REJECT)
    await _holding(world)
    if compacted:
        world.kafka.log(world.topics.progress, 0).compact(drop_tombstones=True)
    async with world.task() as running:
        await world.looks(running)
        assert len(world.answers()) == 2
        await world.let_go(running)
    assert world.outcomes()[2:] == ["4: applied", "2: applied", "0: applied"]
    assert len(world.letters()) == 1
    kept = [one for one in world.records(world.topics.progress) if one.key != b"position"]
    assert kept[-1].value is None


async def test_what_was_judged_before_a_restart_is_not_judged_again() -> None:
    world = LateWorld(settings=REJECT)
    ahead_ms = 50_000
    async with world.task() as running:
        await world.read(running, at(ahead_ms, place("o1")))
    # The clock of the next one is behind: now the event would come too early.
    world.clock.advance(-20_000)
    async with world.task() as running:
        await world.looks(running)
        await world.let_go(running)
    assert world.outcomes() == ["0: applied"]


async def test_a_kill_between_reading_and_commit_holds_nothing_twice() -> None:
    world = LateWorld()
    for fault in Fault:
        broker = world.broker()
        async with world.task(broker) as running:
            await running.until(lambda: len(running.watcher.commits) > 0)
            broker.link.fail(fault, "commit")
            world.send(at(1, pause("o1"), user_id="alice"), at(0, place("o1")))
            with pytest.raises(TaskLost):
                await running.fails()
    async with world.task() as running:
        await world.let_go(running)
    assert sorted(world.answered()) == list(range(6))
    assert world.outcomes()[:3] == ["1: applied", "3: duplicate_order", "5: duplicate_order"]


async def test_a_snapshot_is_as_of_the_committed_offset_and_has_what_was_released() -> None:
    world = LateWorld()
    await _holding(world)
    async with world.task() as running:
        world.clock.advance(5)
        await world.read(running, at(1, place("o8")), at(3, place("o7")))
        await running.until(lambda: _as_of(world) == (0, ["o9"]), "the snapshot of what is held")
        await world.let_go(running)
        world.clock.advance(5)
        await running.until(lambda: _as_of(world)[0] == 7, "the snapshot of all")
    assert _as_of(world)[1] == ["o9", "o1", "o8", "o7"]


def _as_of(world: LateWorld) -> tuple[int, list[str]]:
    table = SnapshotTable()
    for one in world.records(world.topics.snapshots):
        table.put(one.key, one.value)
    latest = table.latest()
    assert latest is not None
    return latest.begin["as_of_offset"], [order.label() for order in latest.orders]


async def test_a_queue_is_purged_only_up_to_what_waits() -> None:
    world = LateWorld(2)
    user = world.users[0]
    routed = world.topics.routed
    async with world.all_streams() as running:
        # Stream 1 reads three of stream 0's user: the first one waits there longest.
        await world.read(
            running,
            at(2, place("o3", user)),
            at(-5000, place("o1", user)),
            at(-4000, place("o2", user)),
            stream=1,
        )
        await running.until(lambda: len(world.answers(0)) == 2, "what was routed")
        world.clock.advance(WINDOW_MS)
        await world.looks(running)
        assert world.next_in(routed, 0) == 0
        assert world.kafka.log(routed, 0).begin == 0
        await running.kill()
    async with world.all_streams() as running:
        await world.let_go(running)
    assert [answer["input"]["offset"] for answer in world.answers(0)] == [1, 2, 0]
    await world.check_all()


async def test_turning_the_window_off_lets_go_of_what_was_held_in_order() -> None:
    world = LateWorld()
    await _holding(world)
    world.settings = late_settings(window_ms=0)
    async with world.task() as running:
        # With the first event that comes, or when it is quiet.
        await world.read(running, at(-WINDOW_MS, cancel("o9"), user_id="alice"))
        await running.until(world.is_caught_up, "all that was held")
    assert world.outcomes()[2:] == ["5: applied", "4: applied", "2: applied", "0: applied"]
    assert "reorder" not in world.position()
    assert world.position()["progress"]["records"] == 0


async def test_with_the_window_off_what_was_held_goes_in_the_quiet() -> None:
    world = LateWorld()
    await _holding(world)
    world.settings = late_settings(window_ms=0)
    async with world.task() as running:
        await world.let_go(running)
    assert world.outcomes()[2:] == ["4: applied", "2: applied", "0: applied"]


async def test_with_the_window_off_what_is_still_held_outlives_one_more_restart() -> None:
    world = LateWorld()
    await _holding(world)
    world.settings = late_settings(window_ms=0)
    async with world.task() as running:
        await running.until(lambda: bool(running.watcher.commits), "a commit")
        assert world.committed_offset() == 0
    async with world.task() as running:
        await world.let_go(running)
    assert world.outcomes()[2:] == ["4: applied", "2: applied", "0: applied"]


async def test_turning_the_window_on_over_events_of_before_makes_none_of_them_late() -> None:
    world = LateWorld(settings=late_settings(window_ms=0))
    async with world.task() as running:
        await world.read(running, at(50_000, place("o1")))
    world.settings = REJECT
    async with world.task() as running:
        await world.read(running, at(0, place("o2")))
        await world.let_go(running)
    assert world.outcomes() == ["0: applied", "1: applied"]


async def test_a_lower_bound_lets_more_go_early_after_a_restart() -> None:
    world = LateWorld()
    await _holding(world)
    world.settings = late_settings(max_events=1)
    async with world.task() as running:
        await world.read(running, at(3, place("o5")))
        await running.until(lambda: len(world.answers()) == 5, "early releases")
    assert world.outcomes()[2:] == ["4: applied", "2: applied", "0: applied"]


async def test_a_limit_that_is_lower_after_a_restart_refuses_a_held_event() -> None:
    world = LateWorld()
    async with world.task() as running:
        await world.read(running, at(1, place("o" * 60)), at(0, place("o1")))
    world.settings = replace(late_settings(), max_event_bytes=180)
    async with world.task() as running:
        await world.let_go(running)
    # In the order of the record's time: nothing else is known of it.
    assert world.outcomes() == ["0: too_large", "1: applied"]
    assert len(world.letters()) == 1


async def test_held_events_that_retention_removed_are_refused_like_unread_ones() -> None:
    world = LateWorld()
    await _holding(world)
    world.kafka.log(world.topics.events, 0).delete_before(2)
    with pytest.raises(UsageError, match=r"events 0 to 1 of orders\.events/0 were removed"):
        await world.run_task()
    async with world.task(accept_lost_events=True) as running:
        await world.let_go(running)
    assert world.outcomes()[2:] == ["4: applied", "2: applied"]


async def test_an_events_topic_that_has_lost_records_is_refused_while_events_wait() -> None:
    world = LateWorld()
    await _holding(world)
    anew = LateWorld()
    anew.send(at(0, place("o1")), at(0, place("o2")))
    for topic in anew.topics.tables:
        records = [(one.key, one.value, list(one.headers)) for one in world.records(topic)]
        anew.kafka.append(topic, 0, records)
    with pytest.raises(
        UsageError, match=r"offset 5 .*events/0 was read is past its end 2: .* lost records"
    ):
        await anew.run_task()
