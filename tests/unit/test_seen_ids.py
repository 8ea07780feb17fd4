"""Which ids are remembered, how a stream uses them, and what they take."""

import tracemalloc
from typing import Any

import pytest

from processor.core.directory.indexed_stream import IndexedStream
from processor.core.directory.messages import RoutedCommand
from processor.core.event_time.seen_ids import SeenIds, id_digest
from processor.core.orders.stream import OrderStream
from processor.wire.event import Event, Refusal
from tests.builders import encode, event, place, place_fields, user_of

HERE, ELSEWHERE = user_of(0, 2), user_of(1, 2)


def reasons(orders: OrderStream, seen: SeenIds, *events: Event | Refusal) -> list[str | None]:
    step = orders.step([(n, 0, one) for n, one in enumerate(events)], seen)
    return [decision[6] for decision in step.decisions]


def test_a_retried_cancel_all_does_not_reach_orders_placed_after_it() -> None:
    orders = OrderStream(0, 1)
    cancel_all = event(type="cancel_all_by_user", user_id="alice", event_id="e1")
    assert reasons(orders, SeenIds(9), cancel_all, place(), cancel_all) == [
        None, None, "duplicate_event",
    ]  # fmt: skip
    assert "o1" in orders


def test_a_replayed_place_does_not_revive_a_cancelled_order() -> None:
    orders = OrderStream(0, 1)
    cancel = event(type="cancel", order_id="o1")
    once = place(event_id="e1")
    assert reasons(orders, SeenIds(9), once, cancel, once) == [None, None, "duplicate_event"]
    assert len(orders) == 0


def test_a_rejected_event_was_seen_and_a_refused_one_was_not() -> None:
    rejected = event(type="cancel", order_id="o9", event_id="e1")
    refused = Refusal("invalid", "d", event_id="e2")
    after = [place("o1", event_id="e1"), place("o2", event_id="e2")]
    assert reasons(OrderStream(0, 1), SeenIds(9), rejected, refused, *after) == [
        "unknown_order", "invalid", "duplicate_event", None,
    ]  # fmt: skip


def test_an_event_of_another_stream_is_neither_checked_nor_remembered() -> None:
    foreign, own = place("o1", ELSEWHERE, event_id="e1"), place("o2", HERE, event_id="e1")
    assert reasons(OrderStream(0, 2), SeenIds(9), foreign, own, foreign, own) == [
        "wrong_stream", None, "wrong_stream", "duplicate_event",
    ]  # fmt: skip


@pytest.mark.parametrize("between", [0, 1, 2])
def test_an_id_is_forgotten_after_so_many_events_with_or_without_one(between: int) -> None:
    others = [place(f"x{n}") for n in range(between)]
    first, again = place("o1", event_id="e1"), place("o2", event_id="e1")
    expected = "duplicate_event" if between < 2 else None
    assert reasons(OrderStream(0, 1), SeenIds(2), first, *others, again)[-1] == expected


def test_a_repeat_is_remembered_as_long_as_any_other_event() -> None:
    one, other = place("o1", event_id="e1"), place("o2")
    found = reasons(OrderStream(0, 1), SeenIds(2), one, other, one, other, one, other, other, one)
    assert [found[index] for index in (2, 4, 7)] == [
        "duplicate_event", "duplicate_event", "duplicate_order",
    ]  # fmt: skip


class Record:
    """An event's record."""

    def __init__(self, offset: int, value: bytes) -> None:
        self.offset, self.timestamp, self.key, self.value = offset, 7, None, value
        self.headers: list[tuple[str, bytes | None]] = []


def take(orders: IndexedStream, seen: SeenIds, *events: dict[str, Any]) -> list[str | None]:
    records = [Record(offset, encode(**one)) for offset, one in enumerate(events)]
    inputs = [(one.offset, 0, event(**fields)) for one, fields in zip(records, events, strict=True)]
    return [
        answer[1][6] for answer in orders.take(inputs, records, seen).answers if len(answer) == 2
    ]


def test_a_command_that_travels_on_is_checked_but_not_remembered() -> None:
    orders, seen = IndexedStream(0, 1), SeenIds(9)
    cancel = {"type": "cancel", "order_id": "o1", "event_id": "e1"}
    named = cancel | {"user_id": "alice"}
    assert take(orders, seen, cancel, cancel) == ["forwarded", "forwarded"]
    assert (seen.events, take(orders, seen, named)) == (0, ["unknown_order"])
    assert take(orders, seen, cancel) == ["duplicate_event"]


@pytest.mark.parametrize(("placed_seq", "first"), [(1, None), (2, "unknown_order")])
def test_a_routed_command_is_checked_and_remembered(placed_seq: int, first: str | None) -> None:
    orders, seen = IndexedStream(0, 1), SeenIds(9)
    take(orders, seen, place_fields("o1"))
    value = encode(type="pause", order_id="o1", event_id="e1")
    command: RoutedCommand = (
        "routed_command", 0, placed_seq, ("command", "o1", 1, 5, (None, value, [], 7)),
    )  # fmt: skip
    found = orders.take_routed([command, command], seen).answers
    assert [one[1][6] for one in found if len(one) == 2] == [first, "duplicate_event"]


def test_two_hundred_thousand_ids_take_less_than_a_hundred_bytes_each() -> None:
    ids = 200_000
    tracemalloc.start()
    try:
        seen = SeenIds(ids)
        # Twice as many: what is forgotten must not leave anything.
        for number in range(2 * ids):
            seen.add(id_digest(f"00000000-0000-4000-8000-{number:012}"))
            if number % 5000 == 0:
                seen.drain()
        seen.drain()
        taken_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Of a number's 36 bytes the allocator makes 48.
    assert len(seen) == ids
    assert taken_bytes / ids + 12 < 100


def test_events_without_ids_take_nothing() -> None:
    seen = SeenIds(200_000)
    for _ in range(1000):
        seen.skip(1000)
    assert (len(seen._queue), len(seen), seen.events) == (1, 0, 1_000_000)


def test_a_digest_is_the_same_in_every_process() -> None:
    assert id_digest("e1") == 0xD9C8602C2633B6F6CBD073


def test_an_id_stays_until_the_last_event_that_had_it_is_forgotten() -> None:
    seen = SeenIds(4)
    for _ in range(3):
        seen.add(1)
    known = []
    for _ in range(4):
        seen.skip(1)
        known.append(1 in seen)
    assert known == [True, True, True, False]
