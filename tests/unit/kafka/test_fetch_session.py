"""What a fetch session asks, and how it takes answers in."""

from dataclasses import replace

from processor.kafka.cluster_view import Leader
from processor.kafka.fetching.limits import FetchLimits
from processor.kafka.fetching.values import AbortedTransaction, Lane
from tests.unit.kafka.log_bytes import ABORT, COMMIT, in_transaction, marker, plain
from tests.unit.kafka.scripted import TOPIC, TOPIC_ID, Script, asked, offsets, part

A = 71


def test_one_request_asks_a_leader_for_all_its_partitions() -> None:
    script = Script()
    for partition, offset in ((0, 5), (1, 0), (2, 9)):
        script.open(partition, offset)
    request = script.fetch()
    assert (request.node, request.lane, request.max_wait_ms) == (1, Lane.MAIN, 500)
    assert [(one.partition, one.fetch_offset) for one in request.partitions] == [
        (0, 5),
        (1, 0),
        (2, 9),
    ]
    assert {(one.topic, one.topic_id, one.leader_epoch) for one in request.partitions} == {
        (TOPIC, TOPIC_ID, 5)
    }


def test_each_leader_is_asked_for_its_own() -> None:
    script = Script()
    script.learn(Leader(1, 5), Leader(2, 5))
    script.open(0)
    script.open(1)
    found = {one.node: asked(one) for one in script.requests()}  # type: ignore[union-attr, arg-type]
    assert found == {1: [0], 2: [1]}


def test_nothing_is_sent_twice() -> None:
    script = Script()
    script.open()
    script.fetch()
    assert script.requests() == []


def test_batches_are_handed_out_and_the_position_follows_them() -> None:
    script = Script()
    reading = script.open()
    script.answer(script.fetch(), part(records=plain(0, b"1", b"2") + plain(2, b"3")))
    assert script.session.changed() == {reading}
    assert (reading.position, reading.next_offset) == (0, 3)
    first = reading.take()
    assert first is not None
    assert (first.base_offset, first.next_offset, reading.position) == (0, 2, 2)
    assert reading.take() is not None
    assert (reading.take(), reading.position) == (None, 3)


def test_what_changed_is_told_once() -> None:
    script = Script()
    script.open()
    script.answer(script.fetch(), part(records=plain(0, b"1")))
    script.session.changed()
    assert script.session.changed() == set()


def test_an_answer_without_records_changes_nothing() -> None:
    script = Script()
    reading = script.open()
    script.answer(script.fetch(), part())
    assert script.session.changed() == set()
    assert (reading.position, asked(script.fetch())) == (0, [0])


def test_markers_and_aborted_records_move_the_position_with_nothing_handed_out() -> None:
    script = Script()
    reading = script.open()
    records = in_transaction(0, A, b"no") + marker(1, A, ABORT)
    script.answer(script.fetch(), part(records=records, aborted=(AbortedTransaction(A, 0),)))
    assert script.session.changed() == {reading}
    assert (reading.take(), reading.position) == (None, 2)


def test_the_position_waits_before_markers_until_what_precedes_them_is_handed_out() -> None:
    script = Script()
    reading = script.open()
    script.answer(script.fetch(), part(records=in_transaction(0, A, b"yes")))
    script.answer(script.fetch(), part(records=marker(1, A, COMMIT)))
    assert reading.position == 0
    reading.take()
    assert reading.position == 2


def test_the_position_stays_when_records_follow_markers_that_were_passed() -> None:
    script = Script()
    reading = script.open()
    script.answer(script.fetch(), part(records=marker(0, A, COMMIT)))
    script.answer(script.fetch(), part(records=plain(1, b"yes")))
    assert reading.position == 1


def test_an_aborted_transaction_spans_several_answers() -> None:
    script = Script()
    reading = script.open()
    aborted = (AbortedTransaction(A, 0),)
    script.answer(script.fetch(), part(records=in_transaction(0, A, b"no"), aborted=aborted))
    records = in_transaction(1, A, b"no") + plain(2, b"yes")
    script.answer(script.fetch(), part(records=records, aborted=aborted))
    records = marker(3, A, ABORT) + in_transaction(4, A, b"yes")
    script.answer(script.fetch(), part(records=records, aborted=aborted))
    assert offsets(reading) == [(2, 3), (4, 5)]


def test_ends_and_lag_are_known_from_answers() -> None:
    script = Script()
    reading = script.open(offset=2)
    assert (reading.lag, reading.high_watermark, reading.last_stable_offset) == (0, None, None)
    script.answer(script.fetch(), part(records=plain(2, b"1", b"2"), end=10, stable=8))
    assert (reading.lag, reading.high_watermark, reading.last_stable_offset) == (6, 10, 8)
    reading.take()
    assert reading.lag == 4


def test_lag_is_never_negative() -> None:
    script = Script()
    reading = script.open(offset=9)
    script.answer(script.fetch(), part(end=5))
    assert reading.lag == 0


def test_a_partition_is_asked_on_while_its_buffer_has_room() -> None:
    script = Script()
    reading = script.open()
    script.answer(script.fetch(), part(records=plain(0, b"1")))
    (again,) = script.fetch().partitions
    assert again.fetch_offset == 1
    assert again.max_bytes == (1 << 20) - reading.buffered_bytes
    assert reading.buffered_bytes == len(plain(0, b"1"))


def test_a_full_buffer_is_left_out_until_it_has_room() -> None:
    script = Script(limits=FetchLimits(partition_bytes=2_000, least_bytes=1))
    reading = script.open()
    script.open(1)
    records = plain(0, bytes(900)) + plain(1, bytes(900))
    script.answer(script.fetch(), part(records=records), part(1))
    assert asked(script.fetch()) == [1]
    reading.take()
    assert asked(script.fetch()) == [0]


def test_a_buffer_that_is_half_full_has_room() -> None:
    records = plain(0, bytes(900))
    script = Script(limits=FetchLimits(partition_bytes=2 * len(records), least_bytes=1))
    script.open()
    script.answer(script.fetch(), part(records=records))
    assert [one.max_bytes for one in script.fetch().partitions] == [len(records)]


def test_partitions_share_the_memory_of_the_process() -> None:
    limits = FetchLimits(partition_bytes=1_000, total_bytes=2_000, least_bytes=300)
    assert [limits.share_bytes(many) for many in (0, 1, 2, 4, 8)] == [1_000, 1_000, 1_000, 500, 300]
    script = Script(limits=limits)
    for partition in range(4):
        script.open(partition)
    assert {one.max_bytes for one in script.fetch().partitions} == {500}


def test_a_closed_reading_gives_its_share_back() -> None:
    limits = FetchLimits(partition_bytes=1_000, total_bytes=1_000, least_bytes=1)
    script = Script(limits=limits)
    script.open(0)
    script.session.close(script.open(1))
    assert [one.max_bytes for one in script.fetch().partitions] == [1_000]


def test_an_answer_is_bounded_but_not_below_what_one_partition_needs() -> None:
    script = Script(limits=FetchLimits(request_bytes=3_000, partition_bytes=2_000, least_bytes=1))
    script.open()
    request = script.fetch()
    assert request.max_bytes == 3_000
    script.answer(request, part(records=plain(0, bytes(9_000))[:2_000]))
    request = script.fetch()
    assert request.partitions[0].max_bytes == request.max_bytes == 4_000
    assert script.session.changed() == set()
    script.answer(request, part(records=plain(0, b"1")))
    assert script.fetch().max_bytes == 3_000


def test_who_got_records_stands_behind_the_others() -> None:
    script = Script()
    for partition in range(3):
        script.open(partition)
    found = (part(0, plain(0, b"1")), part(1), part(2))
    script.answer(script.fetch(), *found)
    assert asked(script.fetch()) == [1, 2, 0]


def test_two_readings_of_one_partition_go_on_two_lanes() -> None:
    script = Script()
    first, second = script.open(offset=0), script.open(offset=7)
    main, extra = script.fetch(), script.fetch()
    assert [main.partitions[0].fetch_offset, extra.partitions[0].fetch_offset] == [0, 7]
    script.answer(extra, part(records=plain(7, b"1")))
    script.answer(main, part(records=plain(0, b"1")))
    assert (offsets(first), offsets(second)) == ([(0, 1)], [(7, 8)])


def test_an_answer_for_a_closed_reading_is_dropped() -> None:
    script = Script()
    reading = script.open()
    request = script.fetch()
    script.session.close(reading)
    script.answer(request, part(records=plain(0, b"1")))
    assert (reading.take(), script.session.changed(), script.requests()) == (None, set(), [])


def test_closing_twice_is_harmless() -> None:
    script = Script()
    reading = script.open()
    script.session.close(reading)
    script.session.close(reading)
    assert script.requests() == []


def test_a_second_answer_is_dropped() -> None:
    script = Script()
    reading = script.open()
    request = script.fetch()
    script.answer(request, part(records=plain(0, b"1")))
    script.answer(request, part(records=plain(0, b"1")))
    script.session.lost(request, script.now_ms)
    assert offsets(reading) == [(0, 1)]
    assert script.fetch().partitions[0].fetch_offset == 1


def test_an_answer_for_another_request_is_dropped() -> None:
    script = Script()
    reading = script.open()
    request = script.fetch()
    script.answer(replace(request, max_wait_ms=1), part(records=plain(0, b"1")))
    assert (reading.take(), script.requests()) == (None, [])


def test_a_partition_that_nobody_asked_for_is_dropped() -> None:
    script = Script()
    reading = script.open()
    request = script.fetch()
    other = part(records=plain(0, b"1"), topic=bytes(16))
    script.answer(request, other, part(5, plain(0, b"1")), part())
    assert reading.take() is None


def test_a_partition_that_comes_twice_in_an_answer_counts_once() -> None:
    script = Script()
    reading = script.open()
    found = part(records=plain(0, b"1"))
    script.answer(script.fetch(), found, found)
    assert offsets(reading) == [(0, 1)]
    assert script.fetch().partitions[0].fetch_offset == 1


def test_a_lost_request_of_closed_readings_asks_for_nothing() -> None:
    script = Script()
    reading = script.open()
    request = script.fetch()
    script.session.close(reading)
    script.session.lost(request, script.now_ms)
    assert (script.requests(), script.session.changed()) == ([], set())


def test_there_is_nothing_to_wake_for_at_first() -> None:
    assert Script().session.wake_ms is None


def test_an_answer_may_name_topics() -> None:
    script = Script()
    reading = script.open()
    script.answer(script.fetch(), part(records=plain(0, b"1"), topic=TOPIC))
    assert offsets(reading) == [(0, 1)]


def test_without_topic_ids_topics_are_asked_by_name() -> None:
    script = Script()
    script.learn(Leader(1, 5), topic_id=None)
    script.open()
    request = script.fetch()
    assert (request.by_id, request.partitions[0].topic_id) == (False, None)


def test_a_topic_id_that_becomes_known_is_used_from_then_on() -> None:
    script = Script()
    script.learn(Leader(1, 5), topic_id=None)
    script.open()
    request = script.fetch()
    script.learn(Leader(1, 5))
    script.answer(request, part(topic=TOPIC))
    request = script.fetch()
    assert (request.by_id, request.partitions[0].topic_id) == (True, TOPIC_ID)


def test_with_topic_ids_topics_are_asked_by_id() -> None:
    script = Script()
    script.open()
    assert script.fetch().by_id
