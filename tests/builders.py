"""Short ways to make what the core takes; every argument has a default that works."""

import json
from typing import Any, NamedTuple

from processor.core.orders.order import Order
from processor.core.orders.records import answer_records, live_records
from processor.core.orders.stream import Change, Decision, OrderStream
from processor.core.sharding import stream_of
from processor.wire.answer import Reason
from processor.wire.event import Event, EventType, Refusal, parse_event
from processor.wire.live_order import LiveOrder, Status, parse_live_order

LiveRecord = tuple[bytes, bytes | None, list[tuple[str, bytes | None]]]


def order(
    order_id: str = "o1",
    *,
    user_id: str = "alice",
    status: Status = "active",
    placed_seq: int = 1,
    seq: int | None = None,
    placed_at_us: int = 0,
    amount: str = "1.50",
) -> Order:
    """A live order."""
    last = placed_seq if seq is None else seq
    return Order(
        order_id, user_id, "BTC", amount, "2", status, placed_at_us, placed_at_us, placed_seq, last
    )


def encode(**fields: Any) -> bytes:
    """An event's bytes."""
    return json.dumps(fields).encode()


def place_fields(order_id: str = "o1", user_id: str = "alice", **more: Any) -> dict[str, Any]:
    """A place event's fields."""
    return {
        "type": "place",
        "order_id": order_id,
        "user_id": user_id,
        "currency": "BTC",
        "amount": "1.50",
        "price": "2",
        **more,
    }


def event(**fields: Any) -> Event:
    """A valid event."""
    parsed = parse_event(encode(**fields))
    assert not isinstance(parsed, Refusal), parsed.detail
    return parsed


def place(order_id: str = "o1", user_id: str = "alice", **more: Any) -> Event:
    """A valid place event."""
    return event(**place_fields(order_id, user_id, **more))


class Decided(NamedTuple):
    """A decision with names."""

    offset: int
    type: EventType | None
    order_id: str | None
    user_id: str | None
    event_id: str | None
    at_us: int | None
    reason: Reason | None
    removed: int | None


def apply(stream: OrderStream, one: Event | Refusal) -> Decided:
    """Step a stream by one event and return the decision."""
    return Decided(*stream.step([(0, 0, one)]).decisions[0])


def user_of(stream: int, num_streams: int) -> str:
    """A user who belongs to a stream."""
    return next(u for n in range(1000) if stream_of(u := f"user{n}", num_streams) == stream)


def record(one: Order, stream: int = 0) -> LiveOrder:
    """An order's record in ``orders.live``."""
    _key, value, _headers = live_record(one, stream)
    assert value is not None
    return parse_live_order(value)


def live_record(change: Change, stream: int) -> LiveRecord:
    """A change as its record in ``orders.live``: key, value, headers."""
    ((key, value, headers),) = live_records(stream, [change])
    assert key is not None
    return key, value, headers


def write_answer(stream: int, decision: Decision) -> bytes:
    """The one answer to a decision."""
    ((_key, value, _headers),) = answer_records([(stream, decision)])
    assert value is not None
    return value
