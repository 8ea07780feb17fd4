"""Incremental fetch sessions: what a broker is told again, and what it may leave out."""

import pytest

from processor.kafka.cluster_view import Leader
from processor.kafka.fetching.incremental import IncrementalSession
from processor.kafka.fetching.reading import State
from processor.kafka.fetching.values import AskedPartition, Fetch, Fetched, FetchedPartition, Lane
from tests.unit.kafka.log_bytes import plain
from tests.unit.kafka.scripted import OTHER_ID, TOPIC_ID, Script, asked, offsets, part


def answer(script: Script, request: Fetch, *found: FetchedPartition, session_id: int = 9) -> None:
    script.session.answered(request, Fetched(0, found, session_id), script.now_ms)


def opened(script: Script) -> Fetch:
    """The second request of a session with two partitions."""
    script.open(0)
    script.open(1)
    answer(script, script.fetch(), part(0), part(1))
    return script.fetch()


def test_the_first_request_asks_for_a_session() -> None:
    script = Script()
    script.open(0)
    request = script.fetch()
    assert (request.session_id, request.session_epoch, asked(request)) == (0, 0, [0])


def test_what_has_not_changed_is_not_told_again() -> None:
    request = opened(Script())
    assert (request.session_id, request.session_epoch) == (9, 1)
    assert (asked(request), list(request.forgotten)) == ([], [])


def test_what_got_records_is_asked_at_its_new_offset() -> None:
    script = Script()
    answer(script, opened(script), part(1, plain(0, b"1")))
    request = script.fetch()
    assert (request.session_epoch, asked(request)) == (2, [1])
    assert request.partitions[0].fetch_offset == 1


def test_there_is_nothing_new_of_what_an_incremental_answer_leaves_out() -> None:
    script = Script()
    first, second = script.open(0), script.open(1)
    answer(script, script.fetch(), part(0, end=7), part(1, plain(0, b"1"), end=8, stable=6))
    answer(script, script.fetch(), part(0, end=9))
    assert (first.state, second.state) == (State.READY, State.READY)
    assert (first.high_watermark, second.high_watermark) == (9, 8)
    assert second.last_stable_offset == 6


def test_an_answer_that_leaves_a_partition_out_tells_of_it_all_the_same() -> None:
    script = Script()
    reading = script.open(0)
    answer(script, script.fetch(), part(0, error_code=78))
    script.pass_ms(20)
    answer(script, script.fetch(), session_id=9)
    assert (reading.failures, reading.unheard_since_ms) == (0, None)


def test_a_new_partition_is_added() -> None:
    script = Script()
    answer(script, opened(script))
    script.open(2)
    assert asked(script.fetch()) == [2]


def test_a_closed_partition_is_forgotten() -> None:
    script = Script()
    readings = [script.open(0), script.open(1)]
    answer(script, script.fetch(), part(0), part(1))
    request = script.fetch()
    script.session.close(readings[0])
    answer(script, request)
    request = script.fetch()
    assert (asked(request), [one.partition for one in request.forgotten]) == ([], [0])
    answer(script, request)
    assert list(script.fetch().forgotten) == []


def test_a_partition_whose_leader_epoch_changed_is_told_again() -> None:
    script = Script()
    request = opened(script)
    script.learn(Leader(1, 5), Leader(1, 6))
    answer(script, request)
    assert [(one.partition, one.leader_epoch) for one in script.fetch().partitions] == [(1, 6)]


def test_a_partition_that_moved_is_forgotten_by_its_old_leader() -> None:
    script = Script()
    request = opened(script)
    script.learn(Leader(1, 5), Leader(2, 6))
    answer(script, request)
    requests = {one.node: one for one in script.requests() if isinstance(one, Fetch)}
    assert [one.partition for one in requests[1].forgotten] == [1]
    assert (asked(requests[2]), requests[2].session_epoch) == ([1], 0)


def test_a_broker_that_keeps_no_session_is_told_all_each_time() -> None:
    script = Script()
    script.open(0)
    for _ in range(3):
        request = script.fetch()
        assert (request.session_id, request.session_epoch, asked(request)) == (0, 0, [0])
        answer(script, request, part(0), session_id=0)


def test_a_session_that_the_broker_ends_begins_anew() -> None:
    script = Script()
    answer(script, opened(script), session_id=0)
    request = script.fetch()
    assert (request.session_id, request.session_epoch, asked(request)) == (0, 0, [0, 1])


@pytest.mark.parametrize("code", [70, 71, 106, 6])
def test_after_an_error_all_is_told_again_and_the_old_session_is_closed(code: int) -> None:
    script = Script()
    script.answer(opened(script), error_code=code)
    script.requests()
    script.learn(Leader(1, 5), Leader(1, 5))
    script.pass_ms(20)
    request = script.fetch()
    assert (request.session_id, request.session_epoch, asked(request)) == (9, 0, [0, 1])


def test_after_a_lost_answer_all_is_told_again() -> None:
    script = Script()
    script.session.lost(opened(script), script.now_ms)
    script.requests()
    script.learn(Leader(1, 5), Leader(1, 5))
    script.pass_ms(20)
    request = script.fetch()
    assert (request.session_id, request.session_epoch, asked(request)) == (9, 0, [0, 1])


def test_the_extra_lane_has_no_session_and_leaves_that_of_the_main_lane_alone() -> None:
    script = Script()
    main = opened(script)
    reading = script.open(2)
    extra = script.fetch()
    assert (extra.lane, extra.session_id, extra.session_epoch) == (Lane.EXTRA, 0, -1)
    assert asked(extra) == [2]
    answer(script, extra, part(2, plain(0, b"1")), session_id=0)
    assert offsets(reading) == [(0, 1)]
    script.session.lost(script.fetch(), script.now_ms)
    answer(script, main)
    fetches = [one for one in script.requests() if isinstance(one, Fetch)]
    assert [(one.session_id, one.session_epoch) for one in fetches] == [(9, 2)]


def one(topic_id: bytes = TOPIC_ID) -> AskedPartition:
    return AskedPartition("events", topic_id, 0, 5, 0, 100)


def test_a_topic_that_was_made_anew_is_forgotten_under_its_old_id() -> None:
    session = IncrementalSession()
    session.ask({("events", 0): one()})
    session.answered(9)
    told = session.ask({("events", 0): one(OTHER_ID)})
    assert [found.topic_id for found in told.changed] == [OTHER_ID]
    assert [found.topic_id for found in told.forgotten] == [TOPIC_ID]


def test_a_partition_that_only_changed_is_not_forgotten() -> None:
    session = IncrementalSession()
    session.ask({("events", 0): one()})
    session.answered(9)
    told = session.ask({("events", 0): one()})
    assert (len(told.changed), told.forgotten) == (1, [])


def test_epochs_begin_again_at_one() -> None:
    session = IncrementalSession()
    session.answered(9)
    session._epoch = 2**31 - 2
    session.answered(9)
    assert session.ask({}).epoch == 2**31 - 1
    session.answered(9)
    assert session.ask({}).epoch == 1
