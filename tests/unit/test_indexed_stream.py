"""What a stream does and says when the directory knows it."""

from typing import Any, NamedTuple

import pytest

from processor.core.directory.indexed_stream import IndexedStream, StreamOutput
from processor.core.directory.messages import Outcome, RoutedCommand, RoutedEvent
from processor.core.orders.stream import OrderStream
from processor.wire.event import parse_event
from processor.wire.record import Header
from tests.builders import encode, order, place_fields, user_of

HERE, ELSEWHERE = user_of(3, 8), user_of(6, 8)


class Record(NamedTuple):
    """An event's record."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[Header]


def raw(value: bytes) -> tuple[bytes | None, bytes, list[Header], int]:
    """The record of an event on its way."""
    return b"k", value, [("trace", b"x")], 7


def take(stream: IndexedStream, *events: dict[str, Any] | bytes) -> StreamOutput:
    """Read events, from offset 10 on."""
    records = [
        Record(10 + n, 7, b"k", one if isinstance(one, bytes) else encode(**one), [("trace", b"x")])
        for n, one in enumerate(events)
    ]
    inputs = [(one.offset, one.timestamp * 1000, parse_event(one.value)) for one in records]
    return stream.take(inputs, records)


def stream_with(*order_ids: str) -> IndexedStream:
    """Stream 3 of 8, in which its user placed orders."""
    stream = IndexedStream(3, 8)
    take(stream, *(place_fields(order_id, HERE) for order_id in order_ids))
    return stream


def routed_event(**fields: Any) -> RoutedEvent:
    """An event that stream 1 read at offset 5."""
    return "routed_event", 3, 1, 5, raw(encode(**fields))


def routed_command(name: str, placed_seq: int) -> RoutedCommand:
    """A command on o1 that stream 1 read at offset 5, for one order."""
    value = encode(type=name, order_id="o1")
    return "routed_command", 3, placed_seq, ("command", "o1", 1, 5, raw(value))


def outcomes(step: StreamOutput) -> list[Outcome]:
    """What became of events that were read here."""
    return [answer[1] for answer in step.answers if len(answer) == 2]


def reasons(step: StreamOutput) -> list[str | None]:
    return [outcome[6] for outcome in outcomes(step)]


def test_a_place_is_claimed_with_its_placement_and_where_it_stands() -> None:
    step = take(IndexedStream(3, 8, seq=41), place_fields("o1", HERE))
    assert step.to_shards == [("claim", "o1", HERE, 3, 42, 3, 10)]


def test_a_cancelled_order_is_released() -> None:
    step = take(stream_with("o1", "o2"), {"type": "cancel", "order_id": "o2"})
    assert step.to_shards == [("release", "o2", 3, 2)]


def test_a_cancel_all_releases_each_order() -> None:
    step = take(stream_with("o1", "o2"), {"type": "cancel_all_by_user", "user_id": HERE})
    assert step.to_shards == [("release", "o1", 3, 1), ("release", "o2", 3, 2)]


@pytest.mark.parametrize(
    "event",
    [
        {"type": "pause", "order_id": "o1"},
        {"type": "resume", "order_id": "o1"},
        place_fields("o1", HERE),
        {"type": "cancel", "order_id": "o9", "user_id": HERE},
        b"no event",
    ],
    ids=["a pause", "a command that is rejected", "a duplicate", "an unknown order", "a refusal"],
)
def test_what_places_and_removes_nothing_says_nothing(event: dict[str, Any] | bytes) -> None:
    step = take(stream_with("o1"), event)
    assert (step.to_shards, step.to_streams) == ([], [])


def test_what_is_said_is_in_the_order_in_which_it_happened() -> None:
    here = {"user_id": HERE}
    step = take(
        stream_with("o1", "o2"),
        {"type": "cancel", "order_id": "o7"},
        place_fields("o7", HERE),
        {"type": "pause", "order_id": "o7"},
        {"type": "cancel", "order_id": "o2"},
        {"type": "cancel_all_by_user"} | here,
        {"type": "cancel_all_by_user"} | here,
        {"type": "cancel", "order_id": "o7"},
        place_fields("o7", HERE),
    )
    said = [one[:2] for one in step.to_shards]
    assert said == [
        ("command", "o7"),
        ("claim", "o7"),
        ("release", "o2"),
        ("release", "o1"),
        ("release", "o7"),
        ("command", "o7"),
        ("claim", "o7"),
    ]


@pytest.mark.parametrize(
    "event",
    [
        place_fields("o1", ELSEWHERE, event_id="e"),
        {"type": "pause", "order_id": "o1", "user_id": ELSEWHERE},
        {"type": "cancel_all_by_user", "user_id": ELSEWHERE},
    ],
    ids=lambda event: str(event["type"]),
)
def test_an_event_of_another_streams_user_goes_to_that_stream(event: dict[str, Any]) -> None:
    stream = stream_with("o1")
    step = take(stream, event)
    assert step.to_streams == [("routed_event", 6, 3, 10, raw(encode(**event)))]
    assert outcomes(step) == [
        (10, event["type"], event.get("order_id"), ELSEWHERE, event.get("event_id"), 7000,
         "forwarded", None)
    ]  # fmt: skip
    assert (step.changes, step.to_shards, len(stream)) == ([], [], 1)


@pytest.mark.parametrize("name", ["pause", "resume", "cancel"])
def test_a_command_without_a_user_for_an_order_elsewhere_goes_to_the_ids_shard(name: str) -> None:
    step = take(stream_with("o1"), {"type": name, "order_id": "o2"})
    value = encode(type=name, order_id="o2")
    assert step.to_shards == [("command", "o2", 3, 10, raw(value))]
    assert outcomes(step) == [(10, name, "o2", None, None, 7000, "forwarded", None)]
    assert (step.changes, step.to_streams) == ([], [])


def test_a_command_without_a_user_for_an_order_here_is_applied() -> None:
    step = take(stream_with("o1"), {"type": "cancel", "order_id": "o1"})
    assert reasons(step) == [None]


def test_everything_else_is_answered_as_without_the_directory() -> None:
    events: list[dict[str, Any] | bytes] = [
        place_fields("o1", HERE),
        {"type": "pause", "order_id": "o1"},
        {"type": "cancel", "order_id": "o2", "user_id": HERE},
        b"no event",
        {"type": "cancel_all_by_user", "user_id": HERE},
    ]
    values = [one if isinstance(one, bytes) else encode(**one) for one in events]
    inputs = [(10 + n, 7000, parse_event(value)) for n, value in enumerate(values)]
    step = take(IndexedStream(3, 8), *events)
    assert (outcomes(step), step.changes) == OrderStream(3, 8).step(inputs)


def test_a_routed_event_is_answered_with_the_position_where_it_was_read() -> None:
    routed = IndexedStream(3, 8).take_routed([routed_event(**place_fields("o1", HERE))])
    assert routed.answers == [(1, (5, "place", "o1", HERE, None, 7000, None, None))]
    assert routed.changes == [order("o1", user_id=HERE, placed_at_us=7000)]


def test_a_routed_place_is_claimed_with_the_position_where_it_was_read() -> None:
    routed = IndexedStream(3, 8).take_routed([routed_event(**place_fields("o1", HERE))])
    assert routed.to_shards == [("claim", "o1", HERE, 3, 1, 1, 5)]


def test_a_routed_removal_is_released() -> None:
    one = routed_event(type="cancel_all_by_user", user_id=HERE)
    routed = stream_with("o1", "o2").take_routed([one])
    assert routed.to_shards == [("release", "o1", 3, 1), ("release", "o2", 3, 2)]


def test_a_routed_event_that_is_rejected_changes_nothing() -> None:
    one = routed_event(type="pause", order_id="o9", user_id=HERE)
    routed = stream_with("o1").take_routed([one])
    assert [answer[1][6] for answer in routed.answers if len(answer) == 2] == ["unknown_order"]
    assert (routed.changes, routed.to_shards) == ([], [])


def test_a_routed_command_is_applied_to_the_order_that_owned_the_id() -> None:
    routed = stream_with("o1").take_routed([routed_command("cancel", 1)])
    assert routed.answers == [(1, (5, "cancel", "o1", HERE, None, 7000, None, None))]
    assert (routed.changes, routed.to_shards) == ([("o1", 1, 7000, 2)], [("release", "o1", 3, 1)])


@pytest.mark.parametrize("order_id", ["o1", "o2"], ids=["another order has the id", "none has it"])
def test_a_routed_command_for_an_order_that_is_gone_is_unknown(order_id: str) -> None:
    stream = stream_with(order_id)
    routed = stream.take_routed([routed_command("cancel", 7)])
    unknown: Outcome = (5, "cancel", "o1", None, None, 7000, "unknown_order", None)
    assert routed == StreamOutput([(1, unknown)], [])
    assert order_id in stream


def test_a_revoke_removes_the_order_and_corrects_the_answer_to_its_place() -> None:
    stream = stream_with("o1", "o2")
    routed = stream.take_routed([("revoke", 3, "o1", 1, 4, 6)])
    assert routed == StreamOutput([(4, 6, "o1", HERE, 7000)], [("o1", 1, 7000, 3)])
    assert [one.order_id for one in stream.orders()] == ["o2"]


@pytest.mark.parametrize("placed_seq", [2, 7])
def test_a_revoke_of_a_placement_that_is_gone_changes_nothing(placed_seq: int) -> None:
    stream = stream_with("o1")
    assert stream.take_routed([("revoke", 3, "o1", placed_seq, 4, 6)]) == StreamOutput()
    assert stream.take_routed([("revoke", 3, "o2", 1, 4, 6)]) == StreamOutput()
    assert "o1" in stream


def test_a_revoked_order_leaves_no_trace_with_its_user() -> None:
    stream = stream_with("o1")
    stream.take_routed([("revoke", 3, "o1", 1, 4, 6)])
    assert (stream.user_count, stream.order_ids_of(HERE), stream.seq_sum) == (0, [], 0)


def test_a_stream_restored_from_its_table_can_still_be_revoked() -> None:
    stream = IndexedStream(3, 8, seq=9, orders=[order("o1", user_id=HERE, placed_seq=4)])
    routed = stream.take_routed([("revoke", 3, "o1", 4, 1, 5)])
    assert routed == StreamOutput([(1, 5, "o1", HERE, 0)], [("o1", 4, 0, 10)])
