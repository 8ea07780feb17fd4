"""Events that come again: known by their id, whatever happened in between."""

from dataclasses import replace

import pytest

from processor.errors import TaskLost
from processor.task.context import TaskSettings
from tests.fakes.link import Fault
from tests.task.events import cancel, cancel_all, pause, place
from tests.task.late_world import LateWorld, at, late_settings

REMEMBER = TaskSettings(dedupe_events=4)
FORGET = TaskSettings(dedupe_events=0)


async def _send(world: LateWorld, *events: dict[str, object]) -> None:
    """Have a task of their own take some events."""
    world.send(*events)
    await world.run_task()


async def test_a_retried_cancel_all_does_not_take_orders_that_were_placed_after_it() -> None:
    world = LateWorld(settings=REMEMBER)
    again = {**cancel_all(), "event_id": "e1"}
    await _send(world, place("o1"), again, place("o2"), again)
    assert world.outcomes() == ["0: applied", "1: applied", "2: applied", "3: duplicate_event"]
    assert await world.listed() == ["o2"]


async def test_a_replayed_place_does_not_revive_a_cancelled_order() -> None:
    world = LateWorld(settings=REMEMBER)
    again = place("o1", event_id="e1")
    await _send(world, again, cancel("o1", "alice"), again)
    assert world.outcomes()[2] == "2: duplicate_event"
    assert await world.listed() == []


async def test_ids_are_remembered_over_restarts_and_compaction() -> None:
    world = LateWorld(settings=REMEMBER)
    await _send(world, place("o1", event_id="e1"))
    await _send(world, {**cancel("o1", "alice"), "event_id": "e2"})
    world.kafka.log(world.topics.progress, 0).compact(drop_tombstones=True)
    await _send(world, place("o1", event_id="e1"), {**cancel("o1", "alice"), "event_id": "e2"})
    assert world.outcomes()[2:] == ["2: duplicate_event", "3: duplicate_event"]


async def test_an_id_is_forgotten_after_so_many_events_over_restarts() -> None:
    world = LateWorld(settings=REMEMBER)
    await _send(world, place("o1", event_id="e1"), cancel("o1", "alice"), place("o2"))
    await _send(world, pause("o2", "alice"), place("o1", event_id="e1"))
    assert world.outcomes()[4] == "4: duplicate_event"
    # The repeat has brought the id once more: it counts from there.
    await _send(world, place("o3"), place("o4"), place("o5"))
    await _send(world, place("o1", event_id="e1"), place("o6"), place("o7"), place("o8"))
    assert world.outcomes()[8] == "8: duplicate_event"
    await _send(world, place("o9"))
    await _send(world, place("o1", event_id="e1"))
    assert world.outcomes()[13] == "13: applied"


async def test_what_was_refused_was_never_an_event() -> None:
    world = LateWorld(settings=REMEMBER)
    bad = place("o1", event_id="e1", amount="-1")
    await _send(world, bad, b"no event", {**bad, "amount": "1"})  # type: ignore[arg-type]
    assert world.outcomes() == ["0: invalid", "1: malformed", "2: applied"]
    assert world.position()["finished_events"] == 1


@pytest.mark.parametrize("fault", Fault)
async def test_a_commit_that_fails_leaves_ids_as_it_leaves_orders(fault: Fault) -> None:
    world = LateWorld(settings=REMEMBER)
    await _send(world, place("o1"))
    world.send(place("o2", event_id="e1"))
    broker = world.broker()
    broker.link.fail(fault, "commit")
    with pytest.raises(TaskLost):
        await world.run_task(broker=broker)
    await _send(world, place("o2", event_id="e1"))
    assert world.outcomes() == ["0: applied", "1: applied", "2: duplicate_event"]


async def test_turned_off_repeats_are_taken_and_nothing_is_kept() -> None:
    world = LateWorld(settings=REMEMBER)
    await _send(world, place("o1", event_id="e1"), cancel("o1", "alice"))
    world.settings = FORGET
    await _send(world, place("o1", event_id="e1"))
    assert world.outcomes()[2] == "2: applied"
    assert world.position()["progress"]["records"] == 0
    assert "finished_events" not in world.position()


async def test_turned_on_again_it_begins_with_nothing() -> None:
    world = LateWorld(settings=REMEMBER)
    await _send(world, place("o1", event_id="e1"), cancel("o1", "alice"))
    world.settings = FORGET
    await _send(world, cancel("o1", "alice"))
    world.settings = REMEMBER
    again = place("o1", event_id="e1")
    await _send(world, again, cancel("o1", "alice"), again)
    assert world.outcomes()[3:] == ["3: applied", "4: applied", "5: duplicate_event"]


async def test_a_smaller_memory_after_a_restart_forgets_the_oldest() -> None:
    world = LateWorld(settings=REMEMBER)
    old, new = place("o1", event_id="e1"), place("o2", event_id="e2")
    await _send(world, old, cancel("o1", "alice"), new)
    world.settings = replace(REMEMBER, dedupe_events=1)
    world.send(new, old)
    await world.run_task()
    assert world.outcomes()[3:] == ["3: duplicate_event", "4: applied"]


async def test_a_repeat_in_another_partition_is_known_where_the_first_one_was_finished() -> None:
    world = LateWorld(2, settings=REMEMBER)
    again = place("o1", world.users[0], event_id="e1")
    async with world.all_streams() as running:
        world.send(again)
        await running.until(world.is_at_rest)
        world.send({**cancel("o1"), "event_id": "e2"}, stream=1)
        await running.until(world.is_at_rest)
        world.send(again, {**cancel("o1", world.users[0]), "event_id": "e2"}, stream=1)
        await running.until(world.is_at_rest)
    assert world.finals() == {
        (0, 0): "0: applied",
        (1, 0): "0: applied",
        (1, 1): "0: duplicate_event",
        (1, 2): "0: duplicate_event",
    }
    await world.check_all()


async def test_a_repeat_of_an_event_that_waits_is_refused_once_both_have_come() -> None:
    world = LateWorld(settings=late_settings(dedupe_events=4))
    again = at(0, place("o1", event_id="e1"))
    async with world.task() as running:
        await world.read(running, again, at(1, cancel("o1", "alice")), again)
    async with world.task() as running:
        await world.let_go(running)
    assert world.outcomes() == ["0: applied", "2: duplicate_event", "1: applied"]
    assert await world.listed() == []
