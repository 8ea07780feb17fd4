"""Events that are applied in the order of their times."""

import logging

import pytest

from tests.task.events import cancel, pause, place, resume
from tests.task.late_world import IDLE_MS, WINDOW_MS, LateWorld, at, late_settings


async def test_events_are_applied_in_the_order_of_their_times_ties_by_offset() -> None:
    world = LateWorld()
    async with world.task() as running:
        await world.read(
            running,
            at(300, cancel("o1"), user_id="alice"),
            at(100, pause("o1"), user_id="alice"),
            at(0, place("o1")),
            at(200, resume("o1"), user_id="alice"),
            at(0, place("o2")),
        )
        assert world.answers() == []
        await world.let_go(running)
    expected = ["2: applied", "4: applied", "1: applied", "3: applied", "0: applied"]
    assert world.outcomes() == expected
    assert await world.listed() == ["o2"]


async def test_an_event_waits_until_one_that_is_a_window_newer_was_read() -> None:
    world = LateWorld()
    async with world.task() as running:
        await world.read(running, at(0, place("o1")))
        await world.read(running, at(WINDOW_MS - 1, place("o2")))
        assert world.outcomes() == []
        await world.read(running, at(WINDOW_MS, place("o3")))
        await running.until(lambda: world.outcomes() == ["0: applied"], "the first one")


async def test_an_event_without_a_time_of_its_own_has_its_records() -> None:
    world = LateWorld()
    async with world.task() as running:
        # The fake Kafka writes it at the time 0.
        await world.read(
            running, at(1, place("o1", "bob")), place("o1"), at(WINDOW_MS, pause("o1"))
        )
        await running.until(lambda: bool(world.answers()), "an answer")
        assert world.outcomes() == ["1: applied"]


async def test_a_quiet_stream_lets_go_by_the_clock() -> None:
    world = LateWorld()
    async with world.task() as running:
        await world.read(running, at(1, place("o2")), at(0, place("o1")))
        world.clock.advance(IDLE_MS - 1)
        await world.looks(running)
        assert world.answers() == []
        world.clock.advance(1)
        await running.until(world.is_caught_up, "what waited")
    assert world.outcomes() == ["1: applied", "0: applied"]
    assert await world.listed() == ["o1", "o2"]


async def test_the_quiet_is_at_least_as_long_as_the_window() -> None:
    world = LateWorld(settings=late_settings(window_ms=2 * IDLE_MS))
    async with world.task() as running:
        await world.read(running, at(-10 * IDLE_MS, place("o1")))
        world.clock.advance(2 * IDLE_MS - 1)
        await world.looks(running)
        assert world.answers() == []
        world.clock.advance(1)
        await running.until(world.is_caught_up, "what waited")


async def test_an_event_ahead_of_the_clock_waits_for_it_in_the_quiet() -> None:
    world = LateWorld()
    ahead_ms = 5 * IDLE_MS
    async with world.task() as running:
        await world.read(running, at(ahead_ms, place("o1")))
        world.clock.advance(ahead_ms + WINDOW_MS - 1)
        await world.looks(running)
        assert world.answers() == []
        world.clock.advance(1)
        await running.until(world.is_caught_up, "what waited")


async def test_each_event_that_comes_begins_the_quiet_anew() -> None:
    world = LateWorld()
    async with world.task() as running:
        await world.read(running, at(0, place("o1")))
        world.clock.advance(IDLE_MS - 1)
        await world.read(running, at(1, place("o2")))
        world.clock.advance(1)
        await world.looks(running)
        assert world.answers() == []


async def test_it_is_not_quiet_while_there_is_more_to_read() -> None:
    world = LateWorld(settings=late_settings(late_events="reject"))
    broker = world.broker()
    async with world.task(broker) as running:
        await world.read(running, at(100, place("o1")))
        broker.starve_inputs()
        world.send(at(0, place("o2")))
        world.clock.advance(10 * IDLE_MS)
        await world.looks(running)
        assert world.answers() == []
        broker.starve_inputs(False)
        await running.until(world.has_read, "the rest")
        await world.let_go(running)
    assert world.outcomes() == ["1: applied", "0: applied"]


async def test_a_full_buffer_lets_the_oldest_go_early_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = LateWorld(settings=late_settings(max_events=2))
    with caplog.at_level(logging.WARNING):
        async with world.task() as running:
            await world.read(running, at(2, place("o3")), at(0, place("o1")))
            assert caplog.messages == []
            await world.read(running, at(1, place("o2")), at(3, place("o4")))
            await running.until(lambda: len(world.answers()) == 2, "the oldest two")
            assert world.outcomes() == ["1: applied", "2: applied"]
            await world.read(running, at(4, place("o5")))
    assert caplog.messages == [
        "stream 0: 2 events were released before their time, for more than 2 waited; raise "
        "reorder_max_events, or lower reorder_window_ms"
    ]


async def test_early_releases_are_told_of_again_after_a_while_with_what_came_meanwhile(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = LateWorld(settings=late_settings(max_events=1))
    async with world.task() as running:
        for number in range(4):
            await world.read(running, at(number, place(f"o{number}")))
        world.clock.advance(10_000)
        await world.read(running, at(10_000, place("o9")))
    told = [one.split(" ")[2] for one in caplog.messages if "before their time" in one]
    assert told == ["1", "2"]
