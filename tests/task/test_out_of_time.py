"""Events that come too late or too early."""

import json

import pytest

from tests.task.events import cancel, pause, place
from tests.task.late_world import WINDOW_MS, Fields, LateWorld, at, late_settings

FAR_MS = 60_000
"""How far ahead of the clock an event may be by default."""


async def _released(world: LateWorld) -> None:
    """Let the stream have released something: what is older than 0 ms is late from now on."""
    async with world.task() as running:
        await world.read(running, at(0, place("o1")), at(WINDOW_MS, place("o2")))
        await running.until(lambda: world.outcomes() == ["0: applied"], "release")


async def test_a_late_event_is_applied_at_once_if_that_is_wanted() -> None:
    world = LateWorld(settings=late_settings(late_events="apply"))
    await _released(world)
    async with world.task() as running:
        await world.read(running, at(-1, pause("o1")))
        await running.until(lambda: world.outcomes() == ["0: applied", "2: applied"], "late")
    assert world.letters() == []


async def test_a_late_event_is_rejected_with_a_dead_letter_if_that_is_wanted() -> None:
    world = LateWorld(settings=late_settings(late_events="reject"))
    await _released(world)
    late = at(-1, pause("o1"), user_id="alice", event_id="e1")
    async with world.task() as running:
        await world.read(running, late)
        await running.until(lambda: len(world.answers()) == 2, "late")
    assert world.answers()[1] == {
        "schema": 1,
        "input": {"partition": 0, "offset": 2},
        "type": "pause",
        "order_id": "o1",
        "user_id": "alice",
        "event_id": "e1",
        "occurred_at": "2025-12-31T23:59:59.999Z",
        "result": "rejected",
        "reason": "too_late",
    }
    assert world.letters() == [
        (
            json.dumps(late).encode(),
            {
                "error.reason": "too_late",
                "error.detail": "event time 2025-12-31T23:59:59.999Z is before "
                "2026-01-01T00:00:00.000Z, up to which events are applied already",
                "source.topic": "orders.events",
                "source.partition": "0",
                "source.offset": "2",
            },
        )
    ]


async def test_what_is_late_by_the_window_and_no_more_is_not_late() -> None:
    world = LateWorld(settings=late_settings(late_events="reject"))
    await _released(world)
    async with world.task() as running:
        await world.read(running, at(0, pause("o1")))
        await world.let_go(running)
    assert world.outcomes() == ["0: applied", "2: applied", "1: applied"]


async def test_what_was_released_stays_so_over_a_restart_in_the_quiet() -> None:
    world = LateWorld(settings=late_settings(late_events="reject"))
    async with world.task() as running:
        await world.read(running, at(5, place("o1")))
        await world.let_go(running)
    async with world.task() as running:
        await world.read(running, at(4, pause("o1")))
        await running.until(lambda: len(world.answers()) == 2, "late")
    assert world.outcomes() == ["0: applied", "1: too_late"]


async def test_an_event_far_ahead_of_the_clock_is_rejected_with_a_dead_letter() -> None:
    world = LateWorld()
    async with world.task() as running:
        await world.read(
            running, at(FAR_MS, place("o1")), at(FAR_MS + 1, place("o2")), at(0, place("o3"))
        )
        await world.let_go(running)
    assert world.outcomes() == ["1: too_early", "2: applied", "0: applied"]
    ((_, headers),) = world.letters()
    assert headers["error.reason"] == "too_early"
    assert headers["error.detail"] == (
        "event time 2026-01-01T00:01:00.001Z is more than 60000 ms ahead of the clock"
    )
    assert headers["source.offset"] == "1"


async def test_an_event_that_came_too_early_is_taken_when_it_comes_again_in_its_time() -> None:
    world = LateWorld(settings=late_settings(dedupe_events=10))
    early = at(2 * FAR_MS, place("o1"), event_id="e1")
    async with world.task() as running:
        await world.read(running, early)
        world.clock.advance(FAR_MS)
        await world.read(running, early)
        await world.let_go(running)
    assert world.outcomes() == ["0: too_early", "1: applied"]


async def test_a_repeat_that_is_late_is_answered_as_a_repeat() -> None:
    world = LateWorld(settings=late_settings(late_events="reject", dedupe_events=10))
    async with world.task() as running:
        await world.read(running, at(0, place("o1"), event_id="e1"), at(5 * WINDOW_MS, place("o2")))
        await running.until(lambda: len(world.answers()) == 1)
        await world.let_go(running)
        await world.read(running, at(0, place("o1"), event_id="e1"))
        await running.until(world.is_caught_up)
    assert world.outcomes() == ["0: applied", "1: applied", "2: duplicate_event"]
    assert world.letters() == []


async def _with_a_forwarded(world: LateWorld, event: Fields) -> None:
    """Stream 0 has released what is at 0 ms; then an event of its user is read by stream 1."""
    user = world.users[0]
    async with world.all_streams() as running:
        await world.read(running, at(0, place("o1", user)), at(WINDOW_MS, place("o2", user)))
        await running.until(lambda: len(world.answers()) == 1, "release")
        await world.read(running, {**event, "user_id": user}, stream=1)
        await running.until(lambda: world.routed_read() > 0, "the forwarded event")
        assert world.outcomes(1) == ["0: forwarded"]
        await world.let_go(running)
    await world.check_all()


@pytest.mark.parametrize(
    ("at_ms", "reason"), [(-1, "too_late"), (FAR_MS + 1, "too_early")], ids=["late", "early"]
)
async def test_a_forwarded_event_is_judged_and_refused_by_the_stream_of_its_user(
    at_ms: int, reason: str
) -> None:
    world = LateWorld(2, settings=late_settings(late_events="reject"))
    event = at(at_ms, cancel("o1"))
    await _with_a_forwarded(world, event)
    assert world.finals()[1, 0] == f"0: {reason}"
    assert world.letters(1) == []
    ((value, headers),) = world.letters(0)
    assert json.loads(value) == {**event, "user_id": world.users[0]}
    assert headers["error.reason"] == reason
    assert (headers["source.partition"], headers["source.offset"]) == ("1", "0")


async def test_a_forwarded_event_waits_where_it_is_finished() -> None:
    world = LateWorld(2)
    await _with_a_forwarded(world, at(WINDOW_MS - 1, pause("o1")))
    assert [answer["input"] for answer in world.answers(0)] == [
        {"partition": 0, "offset": 0},
        {"partition": 1, "offset": 0},
        {"partition": 0, "offset": 1},
    ]


async def test_without_a_window_nothing_is_late_or_early() -> None:
    world = LateWorld(settings=late_settings(window_ms=0, late_events="reject"))
    async with world.task() as running:
        await world.read(
            running, at(0, place("o1")), at(10 * FAR_MS, place("o2")), at(-1, pause("o1"))
        )
        await running.until(world.is_caught_up)
    assert world.outcomes() == ["0: applied", "1: applied", "2: applied"]
