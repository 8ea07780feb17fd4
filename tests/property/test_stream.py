"""Streams behave like the model, and the same however their input is cut into batches."""

from hypothesis import given
from hypothesis import strategies as st

from processor.core.orders.stream import OrderStream
from tests import model
from tests.builders import Decided, record
from tests.model import NaiveSystem
from tests.property.strategies import (
    ORDER_IDS,
    USERS,
    Event,
    Read,
    as_input,
    model_apply,
    num_streams,
    outcome,
    reads,
    single_stream_events,
)


@st.composite
def histories(draw: st.DrawFn) -> tuple[int, list[Read]]:
    """How many streams, and what they read, in one order."""
    streams = draw(num_streams)
    return streams, draw(st.lists(reads(streams), max_size=60))


@given(histories())
def test_streams_answer_and_hold_what_the_model_says(history: tuple[int, list[Read]]) -> None:
    count, steps = history
    streams = [OrderStream(number, count) for number in range(count)]
    judge = NaiveSystem(count)
    for offset, (number, event) in enumerate(steps):
        (found,) = streams[number].step([as_input(offset, event)]).decisions
        decision = Decided(*found)
        assert outcome(decision) == model_apply(judge, number, offset, event)
        assert decision.offset == offset
        if not isinstance(event, str):
            assert decision.type == event["type"]
            assert decision.order_id == event.get("order_id")
            assert decision.event_id == event.get("event_id")
            assert decision.user_id == event.get("user_id", decision.user_id)
    for stream in streams:
        expected = judge.orders(stream.stream)
        assert [record(order, stream.stream) for order in stream.orders()] == expected
        assert stream.state_hash == model.state_hash(expected)
        assert stream.seq_sum == sum(order["seq"] for order in expected)


@given(histories())
def test_the_indexes_hold_exactly_the_live_orders(history: tuple[int, list[Read]]) -> None:
    count, steps = history
    streams = [OrderStream(number, count) for number in range(count)]
    for offset, (number, event) in enumerate(steps):
        streams[number].step([as_input(offset, event)])
    for stream in streams:
        orders = stream.orders()
        assert len(stream) == len(orders)
        assert stream.user_count == len({order.user_id for order in orders})
        for user in USERS:
            mine = [order.order_id for order in orders if order.user_id == user]
            assert stream.order_ids_of(user) == mine
        assert {one for one in ORDER_IDS if one in stream} == {o.order_id for o in orders}


@given(single_stream_events(), st.data())
def test_how_input_is_cut_into_batches_does_not_matter(
    events: list[Event], data: st.DataObject
) -> None:
    inputs = [as_input(offset, event) for offset, event in enumerate(events)]
    whole = OrderStream(0, 1)
    expected = whole.step(inputs)
    cut = OrderStream(0, 1)
    decisions, changes = [], []
    while inputs:
        size = data.draw(st.integers(1, len(inputs)))
        step = cut.step(inputs[:size])
        decisions += step.decisions
        changes += step.changes
        inputs = inputs[size:]
    assert (decisions, changes) == expected
    assert (cut.orders(), cut.seq, cut.state_hash) == (
        whole.orders(), whole.seq, whole.state_hash,
    )  # fmt: skip


@given(single_stream_events())
def test_one_batch_is_as_good_as_one_by_one(events: list[Event]) -> None:
    inputs = [as_input(offset, event) for offset, event in enumerate(events)]
    whole, single = OrderStream(0, 1), OrderStream(0, 1)
    steps = [single.step([one]) for one in inputs]
    together = whole.step(inputs)
    assert together.decisions == [one for step in steps for one in step.decisions]
    assert together.changes == [one for step in steps for one in step.changes]


@given(single_stream_events())
def test_seq_grows_by_one_with_every_change(events: list[Event]) -> None:
    stream = OrderStream(0, 1, seq=5)
    step = stream.step([as_input(offset, event) for offset, event in enumerate(events)])
    assert [change[-1] for change in step.changes] == list(range(6, stream.seq + 1))
