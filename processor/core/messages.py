"""What the tasks tell each other, as plain tuples; the first field says what it is.

Plain for the same reason as in `processor.core.stream`: a claim is made for every place.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

from processor.core.stream import Decision
from schemas.answer import Reason
from schemas.dead_letter import Header
from schemas.event import Event, EventType, Refusal, parse_event
from schemas.forwarded import RawEvent
from schemas.timestamp import record_time_us

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
"""What shards read on ``orders.claims``."""

ToStream = RoutedCommand | RoutedEvent | Revoke
"""What streams read on ``orders.routed``."""

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


class EventRecord(Protocol):
    """An event's record as read; ``timestamp`` in milliseconds."""

    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[Header]: ...


def event_of(raw: RawEvent) -> Event:
    """What an event on its way says.

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
