"""Messages between tasks, as plain tuples; the first field says what it is.

Plain for the same reason as in `processor.core.orders.stream`: a claim is made for every place.
"""

from typing import Literal

from processor.core.orders.stream import Decision
from processor.wire.answer import Reason
from processor.wire.event import Event, EventType, Refusal, parse_event
from processor.wire.forwarded import RawEvent
from processor.wire.timestamp import record_time_us

Claim = tuple[Literal["claim"], str, str, int, int, int, int]
"""An order was placed: order id, user id, stream, ``placed_seq``, and where the place stands,
partition and offset. As a change of the directory: this order owns the id now."""

Release = tuple[Literal["release"], str, int, int]
"""An order is gone: order id, stream, ``placed_seq``."""

Command = tuple[Literal["command"], str, int, int, RawEvent]
"""A command without a user: order id, where it stands (partition and offset), its record."""

RoutedCommand = tuple[Literal["routed_command"], int, int, Command]
"""A command for the order that owned its id: that order's stream and ``placed_seq``."""

RoutedEvent = tuple[Literal["routed_event"], int, int, int, RawEvent]
"""An event that was read elsewhere than in its user's stream: that stream, where the event stands
(partition and offset), its record."""

Revoke = tuple[Literal["revoke"], int, str, int, int, int]
"""A place has lost: its stream, order id, ``placed_seq``, and where it stands, partition and
offset."""

ToShard = Claim | Release | Command
"""Messages that shards read on ``orders.claims``."""

ToStream = RoutedCommand | RoutedEvent | Revoke
"""Messages that streams read on ``orders.routed``."""

Outcome = tuple[
    int,
    EventType | None,
    str | None,
    str | None,
    str | None,
    int | None,
    Reason | Literal["forwarded"] | None,
    int | None,
]
"""A `Decision`, or the same of an input whose final answer somebody else gives."""

Answer = tuple[int, Decision]
"""The final answer to an input that was read elsewhere: the partition where, and the decision."""

Correction = tuple[int, int, str, str, int]
"""An applied place that lost: where it stands (partition and offset), order id, user id, event time
in microseconds."""


def event_of(raw: RawEvent) -> Event:
    """The event in an event on its way.

    Raises:
        ValueError: it is no event; whoever passed it on had read it as one.
    """
    event = parse_event(raw[1])
    if type(event) is Refusal:
        raise ValueError(f"an event on its way is none: {event.detail}")
    return event


def unknown_order(order_id: str, partition: int, offset: int, raw: RawEvent) -> Answer:
    """The final answer to a command on its way that found no order.

    Raises:
        ValueError: the record is no event.
    """
    event = event_of(raw)
    stated_us = event.get("occurred_at")
    at_us = record_time_us(raw[3]) if stated_us is None else stated_us
    event_id = event.get("event_id")
    return partition, (
        offset, event["type"], order_id, None, event_id, at_us, "unknown_order", None,
    )  # fmt: skip
