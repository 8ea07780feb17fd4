"""Events in the order of their times: the law, crashes, and that every input gets one answer."""

from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from processor.core.directory.messages import ToStream
from processor.core.event_time.reorder import ReorderPolicy
from processor.core.orders.stream import OrderStream
from processor.wire.event import Refusal, parse_event
from processor.wire.forwarded import RawEvent
from processor.wire.timestamp import format_time
from tests.builders import encode
from tests.property.late_task import Action, Given, Kafka, LateTask, Setup, Stored, fresh, run
from tests.property.strategies import ORDER_IDS, USERS, events

BEFORE = ["", "", "", "crash", "abort", "crash compact", "abort compact"]
event_ids = st.one_of(st.none(), st.none(), st.sampled_from(["a", "b", "c", "d"]))
# Far from 0, so that a time may be long before or after the others; a few at the same time.
times_us = st.integers(1000, 1030).map(lambda ms: ms * 1000)


@st.composite
def timed_events(draw: st.DrawFn) -> tuple[dict[str, Any], int]:
    """An event and its time; half of them have it from their record."""
    event = {**draw(events), "event_id": draw(event_ids)}
    time_us = draw(times_us)
    if draw(st.booleans()):
        event["occurred_at"] = format_time(time_us)
    else:
        event.pop("occurred_at", None)
    return event, time_us


def given_at(offset: int, event: dict[str, Any], time_us: int) -> Given:
    """A record; an event that says its time is in a record of another."""
    timestamp_ms = 5 if event.get("occurred_at") else time_us // 1000
    value = encode(**event)
    return Given(Stored(offset, timestamp_ms, b"k", value, []), parse_event(value))


@st.composite
def inputs_of_events(draw: st.DrawFn) -> list[Given | None]:
    """Events, some unreadable, and offsets without a record."""
    found: list[Given | None] = []
    for offset in range(draw(st.integers(0, 25))):
        kind = draw(st.integers(0, 9))
        if kind == 0:
            found.append(None)
        elif kind == 1:
            record = Stored(offset, 1010, None, b"{", [])
            found.append(Given(record, Refusal("malformed", "of the test")))
        else:
            found.append(given_at(offset, *draw(timed_events())))
    return found


@st.composite
def messages(draw: st.DrawFn) -> ToStream:
    """What other tasks may send: it need not fit the orders."""
    partition, offset = draw(st.integers(1, 3)), draw(st.integers(0, 10**6))
    kind = draw(st.integers(0, 3))
    if kind == 0:
        order_id = draw(st.sampled_from(ORDER_IDS))
        return "revoke", 0, order_id, draw(st.integers(1, 9)), partition, offset
    event, time_us = draw(timed_events())
    if kind == 1 and event["type"] in ("pause", "resume", "cancel"):
        event.pop("user_id", None)
    elif "user_id" not in event:
        event["user_id"] = draw(st.sampled_from(USERS))
    raw: RawEvent = b"k", encode(**event), [], 5 if event.get("occurred_at") else time_us // 1000
    if "user_id" in event:
        return "routed_event", 0, partition, offset, raw
    command = "command", event["order_id"], partition, offset, raw
    return "routed_command", 0, draw(st.integers(1, 9)), command  # type: ignore[return-value]


@st.composite
def histories(draw: st.DrawFn) -> tuple[Kafka, Setup, list[tuple[Action, str]]]:
    """Inputs, a setup, and transactions with crashes in between; in the end all is read and out."""
    with_directory = draw(st.booleans())
    routed: list[ToStream | None] = []
    if with_directory:
        routed = draw(st.lists(st.one_of(messages(), messages(), st.none()), max_size=15))
    kafka = Kafka(draw(inputs_of_events()), routed)
    policy = ReorderPolicy(
        window_ms=draw(st.sampled_from([0, 1, 5, 20])),
        late_events=draw(st.sampled_from(["apply", "reject"])),
        max_future_ms=draw(st.sampled_from([2, 10, 1000])),
        max_events=draw(st.sampled_from([1, 3, 1000])),
    )
    setup = Setup(policy, draw(st.sampled_from([0, 1, 3, 50])), with_directory, 2)
    actions = []
    now_us = 1_000_000
    for _ in range(draw(st.integers(0, 12))):
        now_us += draw(st.integers(0, 8)) * 1000
        some = st.integers(0, 6)
        idle = draw(st.integers(0, 4)) == 0
        action = Action(now_us, draw(some), draw(some), idle)
        actions.append((action, draw(st.sampled_from(BEFORE))))
    actions.append((Action(now_us, 100, 100), draw(st.sampled_from(BEFORE))))
    actions.append((Action(2_000_000, idle=True), draw(st.sampled_from(BEFORE))))
    return kafka, setup, actions


def inputs_there(kafka: Kafka) -> Counter[tuple[int, int]]:
    """Where all inputs stand that must get an answer here."""
    there = Counter((0, one.record.offset) for one in kafka.events if one is not None)
    for message in kafka.routed:
        if message is None or message[0] == "revoke":
            continue
        if message[0] == "routed_event":
            there[message[2], message[3]] += 1
        else:
            there[message[3][2], message[3][3]] += 1
    return there


@given(histories())
def test_crashes_change_nothing(history: tuple[Kafka, Setup, list[tuple[Action, str]]]) -> None:
    kafka, setup, actions = history
    calm = run(fresh(kafka), setup, [(action, "") for action, _ in actions])
    task = run(kafka, setup, actions)
    assert kafka.wrote == calm.kafka.wrote
    assert kafka.orders == calm.kafka.orders
    assert (kafka.mark, kafka.offsets) == (calm.kafka.mark, calm.kafka.offsets)
    assert kafka.finished_events == calm.kafka.finished_events
    assert task.order.held == 0


@given(histories())
def test_every_input_has_one_answer_and_nothing_is_left(
    history: tuple[Kafka, Setup, list[tuple[Action, str]]],
) -> None:
    kafka, setup, actions = history
    task = run(kafka, setup, actions)
    answers = kafka.said("answer")
    finals = Counter((one[0], one[1][0]) for one in answers if len(one) == 2)
    assert finals == inputs_there(kafka)
    assert kafka.offsets == (len(kafka.events), len(kafka.routed))
    task.act(Action(2_000_000))
    task.commit()
    left = LateTask(kafka, setup)
    remembered = 0 if left.seen is None else len(left.seen)
    assert (left.log.extents["records"] > 0) == (remembered > 0)


@given(histories())
def test_never_more_is_held_than_allowed(
    history: tuple[Kafka, Setup, list[tuple[Action, str]]],
) -> None:
    kafka, setup, actions = history
    task = LateTask(kafka, setup)
    for action, _ in actions:
        task.act(action)
        assert task.order.held <= setup.policy.max_events
        task.commit()


@given(histories(), st.lists(st.integers(1, 6), min_size=30, max_size=30))
def test_how_the_input_is_cut_changes_nothing(
    history: tuple[Kafka, Setup, list[tuple[Action, str]]], cuts: list[int]
) -> None:
    # With a directory, a command on an order that is about to come or go may leave or wait.
    kafka, setup, _ = history
    policy = replace(setup.policy, window_ms=5, late_events="reject", max_future_ms=1000)
    setup = setup._replace(policy=policy, with_directory=False)
    kafka.routed.clear()
    end = Action(2_000_000, idle=True)
    whole, cut = fresh(kafka), fresh(kafka)
    run(whole, setup, [(Action(1_010_000, len(kafka.events)), ""), (end, "")])
    run(cut, setup, [*((Action(1_010_000, count), "") for count in cuts), (end, "")])
    for kind in ("answer", "change", "letter"):
        assert cut.said(kind) == whole.said(kind)


@st.composite
def disorder(draw: st.DrawFn) -> tuple[list[Given], int, list[int]]:
    """Events whose disorder is within a window; how they are cut."""
    window_ms = draw(st.integers(1, 15))
    found: list[Given] = []
    highest_us = 0
    for offset in range(draw(st.integers(0, 40))):
        event, _ = draw(timed_events())
        step_ms = draw(st.integers(-window_ms, 3))
        time_us = max(0, highest_us + step_ms * 1000)
        highest_us = max(highest_us, time_us)
        if event.get("occurred_at"):
            event["occurred_at"] = format_time(time_us)
        record_ms = time_us // 1000
        value = encode(**event)
        found.append(Given(Stored(offset, record_ms, None, value, []), parse_event(value)))
    return found, window_ms, draw(st.lists(st.integers(1, 9), max_size=20))


@given(disorder(), st.sampled_from(["apply", "reject"]), st.sampled_from([0, 2, 50]))
def test_disorder_within_the_window_does_not_matter(
    made: tuple[list[Given], int, list[int]], late_events: Any, dedupe_events: int
) -> None:
    found, window_ms, cuts = made
    policy = ReorderPolicy(window_ms=window_ms, late_events=late_events)
    setup = Setup(policy, dedupe_events, with_directory=False, num_streams=1)
    now_us = 10**9
    reads = [(Action(now_us, cut), "") for cut in cuts] + [(Action(now_us, 100), "")]
    task = run(Kafka(list(found), []), setup, [*reads, (Action(now_us, idle=True), "")])
    in_order = sorted(found, key=lambda one: time_of(one))
    judge = OrderStream(0, 1)
    seen = LateTask(Kafka([], []), setup).seen
    expected = judge.step(
        [(one.record.offset, one.record.timestamp * 1000, one.event) for one in in_order], seen
    )
    wrote = task.kafka.wrote
    assert [value for kind, value in wrote if kind == "answer"] == [
        (0, decision) for decision in expected.decisions
    ]
    assert [value for kind, value in wrote if kind == "change"] == expected.changes
    assert task.orders.rows() == judge.rows()


def time_of(one: Given) -> int:
    assert not isinstance(one.event, Refusal)
    stated_us = one.event.get("occurred_at")
    return one.record.timestamp * 1000 if stated_us is None else stated_us
