"""A live order, as an immutable value, and its record on the wire."""

from typing import NamedTuple

from processor.wire.live_order import LiveOrder, Status
from processor.wire.timestamp import parse_time

OrderRow = tuple[str, str, str, str, str, Status, int, int, int, int]
"""The fields of an `Order` as a plain tuple.

A stream keeps these: they take half the time to make, and the garbage collector leaves them alone
(it never stops looking through a named one).
"""


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
