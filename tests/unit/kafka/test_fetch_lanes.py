"""Which lane a partition is asked on, and for how long."""

from processor.kafka.cluster_view import Leader
from processor.kafka.fetching.limits import FetchLimits
from processor.kafka.fetching.values import Fetch, Lane
from tests.unit.kafka.log_bytes import plain
from tests.unit.kafka.scripted import Script, asked, part


def test_a_new_partition_does_not_wait_for_a_long_poll() -> None:
    script = Script()
    script.open(0)
    script.fetch()
    script.open(1)
    extra = script.fetch()
    assert (extra.lane, extra.max_wait_ms, asked(extra)) == (Lane.EXTRA, 20, [1])


def test_a_third_waits_for_the_short_poll_only() -> None:
    script = Script()
    script.open(0)
    script.fetch()
    script.open(1)
    extra = script.fetch()
    script.open(2)
    assert (script.requests(), script.session.wake_ms) == ([], None)
    script.answer_all(extra)
    again = script.fetch()
    assert (again.lane, asked(again)) == (Lane.EXTRA, [1, 2])


def test_the_long_poll_goes_on_while_a_short_one_is_under_way() -> None:
    script = Script()
    script.open(0)
    main = script.fetch()
    script.open(1)
    script.fetch()
    script.answer(main, part(0, plain(0, b"1")))
    again = script.fetch()
    assert (again.lane, again.max_wait_ms, asked(again)) == (Lane.MAIN, 500, [0])


def test_the_last_short_poll_ends_before_the_long_one() -> None:
    script = Script()
    script.open(0)
    script.fetch()
    script.open(1)
    script.pass_ms(488)
    assert script.fetch().max_wait_ms == 7


def test_all_come_together_when_the_long_poll_ends() -> None:
    script = Script()
    script.open(0)
    main = script.fetch()
    script.open(1)
    script.pass_ms(495)
    assert script.requests() == []
    assert script.session.wake_ms == script.now_ms + 5 + 5 + 1
    script.pass_ms(5)
    script.answer_all(main)
    assert script.fetch().lane is Lane.MAIN
    assert script.session.wake_ms is None


def test_a_long_poll_that_is_overdue_is_waited_for_a_moment_only() -> None:
    script = Script()
    script.open(0)
    script.fetch()
    script.open(1)
    script.pass_ms(505)
    assert script.requests() == []
    script.pass_ms(1)
    extra = script.fetch()
    assert (extra.lane, extra.max_wait_ms) == (Lane.EXTRA, 20)


def test_a_lost_long_poll_frees_its_lane() -> None:
    script = Script()
    script.open(0)
    main = script.fetch()
    script.session.lost(main, script.now_ms)
    script.open(1)
    fetches = [one for one in script.requests() if isinstance(one, Fetch)]
    assert [(one.lane, asked(one)) for one in fetches] == [(Lane.MAIN, [1])]


def test_lanes_of_one_leader_do_not_hold_up_another() -> None:
    script = Script()
    script.open(0)
    script.fetch()
    script.learn(Leader(1, 5), Leader(2, 6))
    script.open(1)
    other = script.fetch()
    assert (other.node, other.lane) == (2, Lane.MAIN)


def test_requests_of_a_lane_keep_their_distance() -> None:
    script = Script(limits=FetchLimits(spacing_ms=4))
    script.open(0)
    first = script.fetch()
    script.pass_ms(1)
    script.answer(first, part(0, plain(0, b"1")))
    assert script.requests() == []
    assert script.session.wake_ms == script.now_ms + 3
    script.pass_ms(3)
    assert script.fetch().lane is Lane.MAIN


def test_the_earliest_reason_to_wake_counts() -> None:
    script = Script()
    script.open(0)
    script.open(1)
    script.answer(script.fetch(), part(0, error_code=78), part(1))
    script.pass_ms(5)
    script.fetch()
    assert script.session.wake_ms == script.now_ms + 15
