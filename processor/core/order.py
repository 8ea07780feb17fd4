"""A live order, as an immutable value, and its record on the wire."""

from typing import NamedTuple

from schemas.live_order import LiveOrder, Status
from schemas.timestamp import format_time, parse_time
from schemas.version import SCHEMA


class Order(NamedTuple):
    """A live order.

    ``amount`` and ``price`` are exact decimals as text; times are event times in microseconds
    since the epoch; ``placed_seq`` is the ``seq`` of the place, ``seq`` of the last change.
    """

    order_id: str
    user_id: str
    currency: str
    amount: str
    price: str
    status: Status
    placed_at_us: int
    updated_at_us: int
    placed_seq: int
    seq: int

    def label(self) -> str:
        """The order as lists show it: ``order1``, ``order2(paused)``."""
        return self.order_id if self.status == "active" else f"{self.order_id}({self.status})"


def to_record(order: Order, stream: int) -> LiveOrder:
    """The order's record in ``orders.live`` and in snapshots."""
    return {
        "schema": SCHEMA,
        "order_id": order.order_id,
        "user_id": order.user_id,
        "currency": order.currency,
        "amount": order.amount,
        "price": order.price,
        "status": order.status,
        "placed_at": format_time(order.placed_at_us),
        "updated_at": format_time(order.updated_at_us),
        "stream": stream,
        "placed_seq": order.placed_seq,
        "seq": order.seq,
    }


def from_record(record: LiveOrder) -> Order:
    """The order of a record.

    Raises:
        ValueError: a time in it is none.
    """
    placed_at_us = parse_time(record["placed_at"])
    return Order(
        record["order_id"],
        record["user_id"],
        record["currency"],
        record["amount"],
        record["price"],
        record["status"],
        placed_at_us,
        placed_at_us
        if record["updated_at"] == record["placed_at"]
        else parse_time(record["updated_at"]),
        record["placed_seq"],
        record["seq"],
    )
