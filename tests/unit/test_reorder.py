"""What waits, what is let go, and what comes too late or too early."""

import pytest

from processor.core.event_time.finished_offsets import EVENTS, ROUTED, Source
from processor.core.event_time.reorder import ReorderBuffer, ReorderPolicy

CLOCK_US = 10**9


def buffer(
    window_ms: int = 10, *, max_events: int = 1000, released_us: int = -1
) -> ReorderBuffer[str]:
    policy = ReorderPolicy(window_ms=window_ms, max_future_ms=5, max_events=max_events)
    return ReorderBuffer(policy, released_us=released_us)


def offer(one: ReorderBuffer[str], *times_ms: int, first: int = 0, source: Source = EVENTS) -> str:
    """Offer events at ascending offsets; the last verdict."""
    verdict = ""
    for offset, time_ms in enumerate(times_ms, first):
        verdict = one.offer(time_ms * 1000, source, offset, f"{time_ms}", CLOCK_US)
    return verdict


def released(one: ReorderBuffer[str]) -> list[str]:
    return [item for *_, item in one.release()]


def test_what_the_watermark_has_reached_is_let_go_in_order() -> None:
    one = buffer()
    assert offer(one, 103, 101, 102, 111) == "due"
    assert released(one) == ["101"]
    assert offer(one, 113, first=4) == "due"
    assert released(one) == ["102", "103"]
    assert len(one) == 2


def test_ties_go_by_offset() -> None:
    one = buffer(window_ms=1)
    one.offer(5000, EVENTS, 3, "second", CLOCK_US)
    one.offer(5000, EVENTS, 4, "third", CLOCK_US)
    one.offer(4999, EVENTS, 5, "first", CLOCK_US)
    one.offer(6000, EVENTS, 6, "", CLOCK_US)
    assert released(one) == ["first", "second", "third"]


@pytest.mark.parametrize(
    ("time_ms", "verdict"),
    [(99, "late"), (100, "held"), (1_000_005, "due"), (1_000_006, "too_early")],
)
def test_an_event_is_judged_by_what_was_released_and_by_the_clock(
    time_ms: int, verdict: str
) -> None:
    one = buffer(released_us=100_000)
    offer(one, 105)
    assert offer(one, time_ms, first=1) == verdict
    assert len(one) == (2 if verdict in ("held", "due") else 1)


def test_an_event_behind_the_watermark_is_in_time_if_nothing_newer_was_released() -> None:
    one = buffer()
    offer(one, 100, 200)
    assert released(one) == ["100"]
    assert offer(one, 150, first=2) == "due"
    assert released(one) == ["150"]


def test_what_is_refused_does_not_move_the_watermark() -> None:
    one = buffer()
    offer(one, 100, 10**7)
    assert (one.highest_us, released(one)) == (100_000, [])


def test_too_many_are_released_early_and_counted() -> None:
    one = buffer(max_events=2)
    assert offer(one, 103, 101) == "held"
    assert offer(one, 102, first=2) == "due"
    assert released(one) == ["101"]
    assert (one.early_released, one.released_us, len(one)) == (1, 101_000, 2)


def test_in_the_quiet_the_clock_stands_in_for_an_event() -> None:
    one = buffer()
    offer(one, 100, 103)
    assert not one.is_due(109_999)
    assert one.is_due(110_000)
    assert [item for *_, item in one.release_idle(112_000)] == ["100"]
    assert (one.released_us, one.highest_us) == (100_000, 103_000)


def test_events_ahead_of_the_clock_wait_for_it() -> None:
    one = buffer()
    offer(one, 1_000_004)
    assert one.release_idle(CLOCK_US) == []
    assert one.is_due(1_000_014_000)


def test_without_a_window_nothing_is_late_and_all_is_let_go() -> None:
    one = buffer(window_ms=0, released_us=500_000)
    one.hold(3000, EVENTS, 0, "held before")
    assert offer(one, 10**9, first=1) == "due"
    assert released(one) == ["held before", "1000000000"]


def test_the_lowest_offset_of_each_source_is_known() -> None:
    one = buffer()
    offer(one, 105, 101, 104, first=7)
    offer(one, 102, first=3, source=ROUTED)
    assert (one.lowest(EVENTS), one.lowest(ROUTED)) == (7, 3)
    offer(one, 114, first=10)
    assert released(one) == ["101", "102", "104"]
    assert (one.lowest(EVENTS), one.lowest(ROUTED)) == (7, None)
    offer(one, 115, first=11)
    assert released(one) == ["105"]
    assert one.lowest(EVENTS) == 10


def test_one_that_waits_for_long_does_not_keep_what_came_after_it() -> None:
    one = buffer()
    one.hold(10**9, EVENTS, 0, "waits")
    one.hold(10**9 + 9_000, EVENTS, 1, "waits, too")
    for offset in range(2, 5000):
        one.hold(offset, EVENTS, offset, "")
        one.release()
        assert one.lowest(EVENTS) == 0
    assert max(map(len, (*one._gone, *one._offsets))) < 1500
    one.hold(10**9 + 18_000, EVENTS, 5000, "")
    assert released(one) == ["waits"]
    assert one.lowest(EVENTS) == 1
