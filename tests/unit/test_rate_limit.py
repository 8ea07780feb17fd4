"""A rate is kept."""

import pytest

from processor.cli.terminal.rate_limit import Pace


def test_the_first_one_does_not_wait() -> None:
    assert Pace(10).wait_s(now_s=5) == 0


def test_each_next_one_waits_for_its_turn() -> None:
    pace = Pace(10)
    assert [pace.wait_s(now_s=5) for _ in range(3)] == pytest.approx([0, 0.1, 0.2])


def test_what_is_a_little_late_is_made_up_for() -> None:
    pace = Pace(10)
    pace.wait_s(now_s=5)
    pace.wait_s(now_s=5.15)
    assert pace.wait_s(now_s=5.15) == pytest.approx(0.05)


def test_a_long_break_is_not_followed_by_a_burst() -> None:
    pace = Pace(10)
    pace.wait_s(now_s=5)
    assert [pace.wait_s(now_s=100) for _ in range(3)] == pytest.approx([0, 0, 0.1])
