"""The order rules, one by one."""

from typing import Any

import pytest

from processor.core.orders.stream import TRANSITIONS, OrderStream
from processor.wire.event import Event, Refusal
from tests.builders import Decided, apply, event, order, place, user_of

ID_COMMANDS = ["pause", "resume", "cancel"]


def stream_with(*orders: str, paused: str = "") -> OrderStream:
    """A lone stream in which alice placed orders, of which one is paused."""
    stream = OrderStream(0, 1)
    for order_id in orders:
        apply(stream, place(order_id))
    if paused:
        apply(stream, event(type="pause", order_id=paused))
    return stream


def labels(stream: OrderStream) -> list[str]:
    return [one.label() for one in stream.orders()]


def outcome(decision: Decided) -> str:
    return decision.reason or "applied"


@pytest.mark.parametrize(
    ("status", "command", "expected", "after"),
    [
        ("none", "place", "applied", ["o1"]),
        ("none", "pause", "unknown_order", []),
        ("none", "resume", "unknown_order", []),
        ("none", "cancel", "unknown_order", []),
        ("active", "place", "duplicate_order", ["o1"]),
        ("active", "pause", "applied", ["o1(paused)"]),
        ("active", "resume", "not_paused", ["o1"]),
        ("active", "cancel", "applied", []),
        ("paused", "place", "duplicate_order", ["o1(paused)"]),
        ("paused", "pause", "already_paused", ["o1(paused)"]),
        ("paused", "resume", "applied", ["o1"]),
        ("paused", "cancel", "applied", []),
        ("cancelled", "place", "applied", ["o1"]),
        ("cancelled", "pause", "unknown_order", []),
        ("cancelled", "resume", "unknown_order", []),
        ("cancelled", "cancel", "unknown_order", []),
    ],
)
def test_every_command_on_every_status(
    status: str, command: str, expected: str, after: list[str]
) -> None:
    stream = OrderStream(0, 1)
    before = {"none": [], "active": ["place"], "paused": ["place", "pause"]}
    for name in before.get(status, ["place", "cancel"]):
        apply(stream, place() if name == "place" else event(type=name, order_id="o1"))
    seq = stream.seq
    decision = apply(stream, place() if command == "place" else event(type=command, order_id="o1"))
    assert outcome(decision) == expected
    assert labels(stream) == after
    assert stream.seq == seq + (expected == "applied")


def test_the_table_of_transitions_knows_every_status_and_id_command() -> None:
    assert set(TRANSITIONS) == {(s, c) for s in ("active", "paused") for c in ID_COMMANDS}


@pytest.mark.parametrize("command", ID_COMMANDS)
@pytest.mark.parametrize("paused", ["", "o1"])
def test_another_users_order_is_unknown(command: str, paused: str) -> None:
    stream = stream_with("o1", paused=paused)
    before = stream.orders()
    decision = apply(stream, event(type=command, order_id="o1", user_id="bob"))
    assert (outcome(decision), decision.user_id) == ("unknown_order", "bob")
    assert stream.orders() == before


@pytest.mark.parametrize("command", ["pause", "cancel"])
def test_a_command_with_the_owners_user_id_applies(command: str) -> None:
    decision = apply(stream_with("o1"), event(type=command, order_id="o1", user_id="alice"))
    assert outcome(decision) == "applied"


@pytest.mark.parametrize("command", ["place", *ID_COMMANDS, "cancel_all_by_user"])
def test_an_event_of_another_streams_user_is_never_applied(command: str) -> None:
    here, elsewhere = user_of(3, 7), user_of(4, 7)
    stream = OrderStream(3, 7)
    apply(stream, place("o1", here))
    before = (stream.orders(), stream.seq, stream.state_hash)
    fields: dict[str, Any] = {"type": command, "order_id": "o1", "user_id": elsewhere}
    if command == "cancel_all_by_user":
        del fields["order_id"]
    one = place("o2", elsewhere) if command == "place" else event(**fields)
    decision = apply(stream, one)
    assert (outcome(decision), decision.user_id) == ("wrong_stream", elsewhere)
    assert (stream.orders(), stream.seq, stream.state_hash) == before


def test_a_command_without_a_user_is_taken_in_the_stream_that_read_it() -> None:
    stream = OrderStream(3, 7)
    apply(stream, place("o1", user_of(3, 7)))
    assert outcome(apply(stream, event(type="cancel", order_id="o1"))) == "applied"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_cancel_all_removes_the_users_orders_and_counts_them(count: int) -> None:
    stream = stream_with(*(f"o{n}" for n in range(count)))
    apply(stream, place("other", "bob"))
    decision = apply(stream, event(type="cancel_all_by_user", user_id="alice"))
    assert (outcome(decision), decision.removed) == ("applied", count)
    assert labels(stream) == ["other"]


def test_cancel_all_removes_paused_orders_too() -> None:
    stream = stream_with("o1", "o2", paused="o1")
    assert apply(stream, event(type="cancel_all_by_user", user_id="alice")).removed == 2


def test_a_cancel_all_of_k_orders_is_k_changes_in_placement_order() -> None:
    stream = stream_with("o1", "o2", "o3", paused="o1")
    step = stream.step([(0, 7000, event(type="cancel_all_by_user", user_id="alice"))])
    assert step.changes == [("o1", 1, 7000, 5), ("o2", 2, 7000, 6), ("o3", 3, 7000, 7)]


def test_a_place_is_active_and_last() -> None:
    stream = stream_with("o1", "o2", paused="o1")
    apply(stream, place("o0"))
    assert labels(stream) == ["o1(paused)", "o2", "o0"]


def test_pause_and_resume_keep_the_place_in_the_list() -> None:
    stream = stream_with("o1", "o2", "o3", paused="o2")
    apply(stream, event(type="resume", order_id="o2"))
    assert labels(stream) == ["o1", "o2", "o3"]


def test_an_id_that_is_placed_again_goes_to_the_end() -> None:
    stream = stream_with("o1", "o2")
    apply(stream, event(type="cancel", order_id="o1"))
    apply(stream, place("o1"))
    assert labels(stream) == ["o2", "o1"]


def test_a_duplicate_place_keeps_the_first_order_whoever_sends_it() -> None:
    stream = stream_with("o1")
    before = stream.orders()
    decision = apply(stream, place("o1", "bob", amount="7"))
    assert (outcome(decision), decision.user_id) == ("duplicate_order", "bob")
    assert stream.orders() == before


def test_a_place_keeps_seq_times_and_money() -> None:
    stream = OrderStream(0, 1, seq=41)
    step = stream.step([(0, 7, place("o1", amount="1.50"))])
    expected = order("o1", placed_seq=42, placed_at_us=7, amount="1.50")
    assert step.changes == [expected]


def test_a_pause_changes_status_seq_and_time_only() -> None:
    stream = OrderStream(0, 1)
    inputs = [(0, 7, place("o1")), (1, 9, event(type="pause", order_id="o1"))]
    placed, paused = stream.step(inputs).changes
    assert placed == order("o1", placed_at_us=7)
    assert paused == order("o1", placed_at_us=7, seq=2)._replace(status="paused", updated_at_us=9)


def test_event_time_is_occurred_at_else_the_records_time() -> None:
    stream = OrderStream(0, 1)
    stated = place("o1", occurred_at="1970-01-01T00:00:09+00:00")
    step = stream.step([(0, 1000, stated), (1, 2000, place("o2"))])
    assert [Decided(*decision).at_us for decision in step.decisions] == [9_000_000, 2000]
    assert [one.placed_at_us for one in stream.orders()] == [9_000_000, 2000]


def test_an_occurred_at_of_zero_is_a_time() -> None:
    stream = OrderStream(0, 1)
    stream.step([(0, 5, place(occurred_at="1970-01-01T00:00:00Z"))])
    assert stream.orders()[0].placed_at_us == 0


def test_a_batch_gets_one_decision_per_input_in_order() -> None:
    stream = OrderStream(0, 1)
    refused = Refusal("malformed", "x")
    step = stream.step([(7, 0, place()), (8, 0, refused), (11, 0, place())])
    assert [(decision[0], outcome(Decided(*decision))) for decision in step.decisions] == [
        (7, "applied"),
        (8, "malformed"),
        (11, "duplicate_order"),
    ]


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (
            place("o2", event_id="e1"),
            Decided(4, "place", "o2", "alice", "e1", 9, None, None),
        ),
        (
            # The owner is told, although the command did not say who it is.
            event(type="pause", order_id="o1", event_id="e1"),
            Decided(4, "pause", "o1", "alice", "e1", 9, None, None),
        ),
        (
            event(type="resume", order_id="o1"),
            Decided(4, "resume", "o1", "alice", None, 9, "not_paused", None),
        ),
        (
            event(type="cancel", order_id="o9"),
            Decided(4, "cancel", "o9", None, None, 9, "unknown_order", None),
        ),
        (
            event(type="cancel_all_by_user", user_id="bob", event_id="e1"),
            Decided(4, "cancel_all_by_user", None, "bob", "e1", 9, None, 0),
        ),
        (
            Refusal("invalid", "d", type="place", order_id="o1", user_id="u", event_id="e"),
            Decided(4, "place", "o1", "u", "e", None, "invalid", None),
        ),
        (
            Refusal("too_large", "d"),
            Decided(4, None, None, None, None, None, "too_large", None),
        ),
    ],
    ids=lambda value: str(value.type) if isinstance(value, Decided) else "",
)
def test_a_decision_tells_all_that_is_known(one: Event | Refusal, expected: Decided) -> None:
    assert stream_with("o1").step([(4, 9, one)]).decisions == [expected]


def test_a_cancel_all_in_the_wrong_stream_has_no_count() -> None:
    one = event(type="cancel_all_by_user", user_id=user_of(4, 7))
    assert apply(OrderStream(3, 7), one).removed is None


def test_a_refused_input_changes_nothing() -> None:
    stream = stream_with("o1")
    before = (stream.orders(), stream.seq)
    assert stream.step([(0, 0, Refusal("malformed", "x"))]).changes == []
    assert (stream.orders(), stream.seq) == before


@pytest.mark.parametrize("how", ["one by one", "all by user"])
def test_nothing_is_left_when_everything_is_cancelled(how: str) -> None:
    users = ["alice", "bob", "carol"]
    stream = OrderStream(0, 1)
    for n in range(30):
        apply(stream, place(f"o{n}", users[n % 3]))
        if n % 2:
            apply(stream, event(type="pause", order_id=f"o{n}"))
    assert (len(stream), stream.user_count) == (30, 3)
    if how == "one by one":
        for n in range(30):
            apply(stream, event(type="cancel", order_id=f"o{n}"))
    else:
        for user in users:
            apply(stream, event(type="cancel_all_by_user", user_id=user))
    assert (len(stream), stream.user_count, stream.orders()) == (0, 0, [])
    assert stream.state_hash == "0" * 64


def test_a_user_without_orders_leaves_no_trace() -> None:
    stream = stream_with("o1")
    apply(stream, event(type="cancel", order_id="o1"))
    apply(stream, event(type="cancel_all_by_user", user_id="alice"))
    assert (stream.user_count, stream.order_ids_of("alice")) == (0, [])


def test_the_orders_of_a_user_are_in_placement_order() -> None:
    stream = stream_with("o2", "o1", paused="o2")
    apply(stream, place("o3", "bob"))
    assert stream.order_ids_of("alice") == ["o2", "o1"]


def test_a_restored_stream_goes_on_from_its_seq() -> None:
    stream = OrderStream(0, 1, seq=99, orders=[order("o1", placed_seq=5)])
    assert ("o1" in stream, "o2" in stream, stream.seq) == (True, False, 99)
    step = stream.step([(0, 7000, event(type="cancel", order_id="o1"))])
    assert step.changes == [("o1", 5, 7000, 100)]


def test_a_list_of_orders_does_not_change_afterwards() -> None:
    stream = stream_with("o1")
    taken = stream.orders()
    apply(stream, event(type="pause", order_id="o1"))
    apply(stream, place("o2"))
    assert [one.label() for one in taken] == ["o1"]
