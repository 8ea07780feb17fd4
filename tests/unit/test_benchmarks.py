"""The parts of the benchmarks that need no Kafka."""

import json
import random
from typing import Any

import pytest

from benchmarks.load import Desk, beats
from benchmarks.measured import Recorder, percentile_ms
from benchmarks.observe import are_agreed
from benchmarks.plan import END_ID, Plan, is_last, order_id, place_sent_ns
from benchmarks.proc import cpu_ticks, listening_inodes
from processor.core.orders.records import answer_records
from processor.core.orders.stream import OrderStream
from processor.task.lifecycle import TaskState
from processor.wire.event import Refusal, parse_event
from processor.wire.position import Position

_TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2384 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1
   1: 0100007F:2384 0100007F:D1A2 01 00000000:00000000 00:00000000 00000000     0        0 4712 1
   2: 0100007F:2385 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1
"""


def _answers(*events: bytes) -> list[bytes]:
    inputs = []
    for offset, value in enumerate(events):
        event = parse_event(value)
        assert not isinstance(event, Refusal)
        inputs.append((offset, 10**15, event))
    step = OrderStream(0, 1).step(inputs, None)
    values = [value for _, value, _ in answer_records((0, one) for one in step.decisions)]
    return [value for value in values if value is not None]


def _plan(events_per_s: int, **times: int) -> Plan:
    times = {"begin_ns": 0, "from_ns": 0, "until_ns": 10**9, **times}
    return Plan("here:9092", "events", "results", 8, events_per_s, **times)


def _position(events: int, live_orders: int, owners: int) -> Position:
    given: Any = {"events": events, "live_orders": live_orders, "directory": {"owners": owners}}
    position: Position = given
    return position


def test_answers_of_places_tell_when_these_were_sent() -> None:
    desk = Desk(0, 1)
    placed, cancelled = [desk.next_event(10**12 + n, n)[1] for n in (0, 500)], b""
    for number in range(600):
        cancelled = desk.next_event(10**12, 1000 + number)[1]
        if b"cancel" in cancelled:
            break
    answers = _answers(*placed, cancelled)
    assert [place_sent_ns(answer) for answer in answers] == [10**12, 10**12 + 500, None]
    assert not any(map(is_last, answers))


def test_a_place_that_was_not_applied_is_not_counted() -> None:
    _, place = Desk(0, 1).next_event(7, 0)
    _, again = _answers(place, place)
    assert place_sent_ns(again) is None


def test_the_answer_to_the_last_place_ends_the_reading() -> None:
    (last,) = _answers(Desk(3, 8).last_event(3)[1])
    assert is_last(last)
    assert place_sent_ns(last) is None


def test_order_ids_of_the_same_moment_differ() -> None:
    assert order_id(5, 1) != order_id(5, 2)
    assert not order_id(5, 1).startswith(END_ID)


def test_a_desk_keeps_its_number_of_live_orders() -> None:
    desk = Desk(0, 1)
    kinds = [json.loads(desk.next_event(0, number)[1])["type"] for number in range(700)]
    assert kinds == ["place"] * 500 + ["cancel", "place"] * 100


def test_a_plan_comes_through_a_command_line() -> None:
    plan = _plan(1000)
    assert Plan.parse(plan.dump()) == plan


@pytest.mark.parametrize("events_per_s", [10, 1_000, 10_000, 30_000])
def test_beats_come_at_the_rate(events_per_s: int) -> None:
    plan = _plan(events_per_s, begin_ns=5, until_ns=5 + 100 * 10**9)
    due = list(beats(plan, random.Random(1)))
    assert due[0][0] == 5
    assert due == sorted(due)
    assert sum(events for _, events in due) == pytest.approx(100 * events_per_s, rel=0.1)


def test_percentiles_are_values_that_occurred() -> None:
    values_ns = [n * 1_000_000 for n in range(100, 0, -1)]
    assert percentile_ms(values_ns, 0.5) == 51
    assert percentile_ms(values_ns, 0.99) == 100
    assert percentile_ms(values_ns, 1.0) == 100
    assert percentile_ms([], 0.5) == 0


def test_the_streams_of_a_round_are_one_transaction() -> None:
    recorder = Recorder(2)
    for stream, commit_ns in ((0, 11), (1, 11), (0, 12), (1, 11)):
        recorder.on_commit(stream, 1, 0, commit_ns)
    report = recorder.report()
    assert (report["transactions"], report["batches"]) == (3, 4)


def test_it_is_told_once_that_all_streams_run(capsys: pytest.CaptureFixture[str]) -> None:
    recorder = Recorder(2)
    recorder.on_state(0, TaskState.RUNNING)
    recorder.on_state(0, TaskState.STOPPING)
    recorder.on_state(1, TaskState.RUNNING)
    assert capsys.readouterr().out == ""
    recorder.on_state(0, TaskState.RUNNING)
    recorder.on_state(1, TaskState.RUNNING)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line).keys() == {"running_ns"}


def test_cpu_time_is_read_past_any_name() -> None:
    assert cpu_ticks("7 (a b) c) S 1 7 7 0 -1 4194560 9 0 0 0 120 34 5 6 20 0 1 0 99\n") == 154


def test_who_listens_is_not_who_is_connected() -> None:
    assert listening_inodes(_TCP, 0x2384) == ["4711"]
    assert listening_inodes(_TCP, 1) == []


def test_streams_agree_when_all_is_finished_and_known() -> None:
    positions = {0: _position(5, 3, 1), 1: _position(6, 0, 2)}
    assert are_agreed(positions, [5, 6])
    assert not are_agreed(positions, [5, 7]), "an event is not finished"
    assert not are_agreed(positions, [5, 6, 0]), "a stream has not begun"
    assert not are_agreed({**positions, 1: _position(6, 0, 1)}, [5, 6]), "a shard knows less"
