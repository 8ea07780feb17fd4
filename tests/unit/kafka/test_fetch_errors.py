"""What a session does about errors."""

import pytest

from processor.kafka.cluster_view import NO_NODE, Leader
from processor.kafka.fetching.reading import Reading, State
from processor.kafka.fetching.remedies import Failure, Trouble
from processor.kafka.fetching.values import Fetch, RefreshMetadata
from tests.unit.kafka.log_bytes import plain
from tests.unit.kafka.scripted import OTHER_ID, TOPIC, TOPIC_ID, Script, part, topic_metadata

FIND_LEADER = (5, 6, 8, 9, 13, 56, 74, 75)
ASK_AGAIN = (78, -1, 999)
DOUBT_TOPIC = (3, 100, 103)
TELL = {
    1: Trouble.OFFSET_GONE,
    2: Trouble.CORRUPT,
    17: Trouble.REFUSED,
    29: Trouble.REFUSED,
    31: Trouble.REFUSED,
    35: Trouble.REFUSED,
    42: Trouble.REFUSED,
    76: Trouble.REFUSED,
}
PASSING = (*FIND_LEADER, *ASK_AGAIN, *DOUBT_TOPIC)


def failed(script: Script, reading: Reading) -> Failure | None:
    return script.session.failure(reading, script.now_ms)


def err(script: Script, code: int) -> None:
    script.answer(script.fetch(), part(error_code=code))


@pytest.mark.parametrize("code", [*FIND_LEADER, *DOUBT_TOPIC])
def test_newer_metadata_is_asked_for_once_and_then_the_new_leader_at_once(code: int) -> None:
    script = Script()
    reading = script.open()
    err(script, code)
    assert script.requests() == [RefreshMetadata()]
    assert (script.requests(), reading.state) == ([], State.PAUSED)
    script.learn(Leader(2, 6))
    request = script.fetch()
    assert (request.node, request.partitions[0].leader_epoch) == (2, 6)


@pytest.mark.parametrize("code", [*FIND_LEADER, *DOUBT_TOPIC])
def test_the_same_leader_is_asked_again_after_newer_metadata_and_a_pause(code: int) -> None:
    script = Script()
    script.open()
    err(script, code)
    script.requests()
    script.pass_ms(1_000)
    assert script.requests() == []
    script.now_ms -= 1_000
    script.learn(Leader(1, 5))
    assert (script.requests(), script.session.wake_ms) == ([], script.now_ms + 20)
    script.pass_ms(20)
    assert script.fetch().node == 1


@pytest.mark.parametrize("code", ASK_AGAIN)
def test_the_same_broker_is_asked_again_after_a_pause_without_metadata(code: int) -> None:
    script = Script()
    script.open()
    err(script, code)
    assert (script.requests(), script.session.wake_ms) == ([], script.now_ms + 20)
    script.pass_ms(19)
    assert script.requests() == []
    script.pass_ms(1)
    assert script.fetch().node == 1


@pytest.mark.parametrize(("code", "trouble"), TELL.items())
def test_what_does_not_pass_is_told_and_not_asked_again(code: int, trouble: Trouble) -> None:
    script = Script()
    reading = script.open()
    err(script, code)
    assert script.session.changed() == {reading}
    assert failed(script, reading) == Failure(trouble, code)
    script.pass_ms(60_000)
    script.learn(Leader(2, 6))
    assert (script.requests(), reading.state) == ([], State.FAILED)


@pytest.mark.parametrize("code", PASSING)
def test_what_was_buffered_is_handed_out_and_the_position_stays(code: int) -> None:
    script = Script()
    reading = script.open()
    script.answer(script.fetch(), part(records=plain(0, b"1")))
    err(script, code)
    assert (reading.position, reading.next_offset, failed(script, reading)) == (0, 1, None)
    assert reading.take() is not None


@pytest.mark.parametrize("code", PASSING)
def test_an_error_of_one_partition_does_not_touch_the_others(code: int) -> None:
    script = Script()
    script.open(0)
    other = script.open(1)
    script.answer(script.fetch(), part(0, error_code=code), part(1, plain(0, b"1")))
    assert other.take() is not None
    fetches = [one for one in script.requests() if isinstance(one, Fetch)]
    assert [one.partitions[0].partition for one in fetches] == [1]


@pytest.mark.parametrize("code", PASSING)
def test_an_error_of_the_whole_answer_is_one_of_each_partition(code: int) -> None:
    script = Script()
    readings = [script.open(0), script.open(1)]
    script.answer(script.fetch(), part(0, plain(0, b"1")), error_code=code)
    assert [one.state for one in readings] == [State.PAUSED] * 2
    assert [one.take() for one in readings] == [None] * 2


@pytest.mark.parametrize(("code", "trouble"), TELL.items())
def test_a_refusal_of_the_whole_answer_is_told_to_all(code: int, trouble: Trouble) -> None:
    script = Script()
    readings = [script.open(0), script.open(1)]
    script.answer(script.fetch(), error_code=code)
    assert [failed(script, one) for one in readings] == [Failure(trouble, code)] * 2
    assert script.session.changed() == set(readings)


def test_a_partition_that_an_answer_leaves_out_is_asked_again() -> None:
    script = Script()
    script.open(0)
    left_out = script.open(1)
    script.answer(script.fetch(), part(0))
    assert left_out.state is State.PAUSED
    script.fetch()
    script.pass_ms(20)
    assert [one.partition for one in script.fetch().partitions] == [1]


def test_a_lost_request_asks_for_metadata_and_then_the_same_offset_again() -> None:
    script = Script()
    reading = script.open(offset=3)
    script.session.lost(script.fetch(), script.now_ms)
    assert script.requests() == [RefreshMetadata()]
    script.learn(Leader(1, 5))
    script.pass_ms(20)
    assert script.fetch().partitions[0].fetch_offset == 3
    assert reading.last_error_code == 13


def test_pauses_grow_to_a_bound_and_shrink_after_an_answer() -> None:
    script = Script()
    script.open()
    pauses = []
    for _ in range(7):
        err(script, 78)
        script.requests()
        assert script.session.wake_ms is not None
        pauses.append(script.session.wake_ms - script.now_ms)
        script.pass_ms(pauses[-1])
    assert pauses == [20, 40, 80, 160, 320, 500, 500]
    script.answer(script.fetch(), part())
    err(script, 78)
    script.requests()
    assert script.session.wake_ms == script.now_ms + 20


@pytest.mark.parametrize("code", [*FIND_LEADER, *ASK_AGAIN])
def test_silence_for_too_long_is_told_and_taken_back_by_an_answer(code: int) -> None:
    script = Script()
    reading = script.open()
    began_ms = script.now_ms
    while script.now_ms < began_ms + 10_000:
        assert failed(script, reading) is None
        script.session.changed()
        err(script, code)
        script.requests()
        script.learn(Leader(1, 5))
        script.pass_ms(500)
    assert failed(script, reading) == Failure(Trouble.UNHEARD, code)
    err(script, code)
    assert script.session.changed() == {reading}
    script.requests()
    script.learn(Leader(1, 5))
    script.pass_ms(500)
    script.answer(script.fetch(), part())
    assert failed(script, reading) is None


def test_silence_counts_from_the_sending_of_what_was_not_answered() -> None:
    script = Script()
    reading = script.open()
    request = script.fetch()
    script.pass_ms(10_000)
    assert failed(script, reading) is None
    script.session.lost(request, script.now_ms)
    assert failed(script, reading) == Failure(Trouble.UNHEARD, 13)
    assert script.session.changed() == {reading}


def test_a_partition_without_a_leader_waits_for_one() -> None:
    script = Script()
    script.learn(Leader(NO_NODE, 6))
    reading = script.open()
    for _ in range(3):
        assert script.requests() == [RefreshMetadata()]
        script.learn(Leader(NO_NODE, 6))
        script.pass_ms(500)
    script.learn(Leader(3, 7))
    assert (script.fetch().node, failed(script, reading)) == (3, None)


def test_a_first_leader_is_asked_at_once() -> None:
    script = Script()
    script.learn(Leader(NO_NODE, 6))
    script.open()
    script.requests()
    script.learn(Leader(3, 7))
    assert script.fetch().node == 3


def test_a_partition_without_a_leader_for_too_long_is_unheard_and_its_reader_is_woken() -> None:
    script = Script()
    script.learn(Leader(NO_NODE, 6))
    reading = script.open()
    began_ms = script.now_ms
    script.requests()
    script.requests()
    assert script.session.wake_ms == began_ms + 10_000
    script.pass_ms(9_999)
    script.requests()
    assert (failed(script, reading), script.session.changed()) == (None, set())
    script.pass_ms(1)
    script.requests()
    assert failed(script, reading) == Failure(Trouble.UNHEARD)
    assert script.session.changed() == {reading}


@pytest.mark.parametrize("code", DOUBT_TOPIC)
def test_a_topic_that_stays_unknown_is_told_with_its_id(code: int) -> None:
    script = Script()
    reading = script.open()
    began_ms = script.now_ms
    while script.now_ms < began_ms + 3_000:
        err(script, code)
        assert failed(script, reading) is None
        script.pass_ms(500)
        script.requests()
        script.learn(Leader(1, 5))
    err(script, code)
    assert failed(script, reading) == Failure(Trouble.TOPIC_GONE, code, TOPIC_ID, TOPIC_ID)
    assert script.session.changed() == {reading}


def test_a_doubt_that_passes_is_forgotten() -> None:
    script = Script()
    reading = script.open()
    for _ in range(9):
        err(script, 100)
        script.pass_ms(500)
        script.requests()
        script.learn(Leader(1, 5))
        script.answer(script.fetch(), part())
    assert failed(script, reading) is None


def watch_metadata(script: Script, metadata: object, times: int) -> int:
    """Let the same metadata come again and again; how often it was asked for."""
    asked_for = 0
    for _ in range(times):
        found = script.requests()
        assert not [one for one in found if isinstance(one, Fetch)]
        asked_for += len(found)
        script.view.learn(metadata)  # type: ignore[arg-type]
        script.pass_ms(10)
    return asked_for


def test_a_topic_that_was_made_anew_is_not_read_and_told_with_both_ids() -> None:
    script = Script()
    reading = script.open()
    script.answer(script.fetch(), part())
    anew = topic_metadata({0: Leader(1, 0)}, topic_id=OTHER_ID)
    script.view.learn(anew)
    asked_for = watch_metadata(script, anew, 360)
    assert failed(script, reading) == Failure(Trouble.TOPIC_GONE, 0, TOPIC_ID, OTHER_ID)
    assert script.session.changed() == {reading}
    assert asked_for < 20


def test_a_topic_that_was_deleted_is_told() -> None:
    script = Script()
    reading = script.open()
    script.answer(script.fetch(), part())
    gone = topic_metadata({}, error_code=3, topic_id=None)
    script.view.learn(gone)
    watch_metadata(script, gone, 360)
    assert failed(script, reading) == Failure(Trouble.TOPIC_GONE, 0, TOPIC_ID, None)


def test_a_broker_that_lags_behind_does_not_make_a_topic_gone() -> None:
    script = Script()
    reading = script.open()
    script.answer(script.fetch(), part())
    script.view.learn(topic_metadata({0: Leader(1, 9)}, topic_id=OTHER_ID))
    assert script.requests() == [RefreshMetadata()]
    script.learn(Leader(1, 5))
    script.pass_ms(20)
    script.answer(script.fetch(), part())
    assert (failed(script, reading), reading.doubted_since_ms) == (None, None)


def test_a_topic_must_have_the_id_that_is_expected() -> None:
    script = Script()
    script.session.open(TOPIC, 0, 0, OTHER_ID)
    assert script.requests() == [RefreshMetadata()]


def test_a_topic_that_kafka_does_not_show_us_is_refused() -> None:
    script = Script()
    script.view.learn(topic_metadata({}, name="secret", topic_id=None, error_code=29))
    reading = script.session.open("secret", 0, 0)
    assert script.requests() == []
    assert failed(script, reading) == Failure(Trouble.REFUSED, 29)
    assert script.session.changed() == {reading}


def test_what_comes_before_corruption_is_handed_out_and_then_it_is_told() -> None:
    script = Script()
    reading = script.open()
    wrong = bytearray(plain(1, b"2"))
    wrong[-1] ^= 1
    script.answer(script.fetch(), part(records=plain(0, b"1") + bytes(wrong)))
    assert reading.take() is not None
    assert (reading.position, failed(script, reading)) == (
        1,
        Failure(Trouble.CORRUPT, detail="its checksum does not fit"),
    )
    assert script.requests() == []
