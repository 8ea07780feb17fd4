"""A naive model of the order rules: the judge of the property and integration tests.

It shares nothing with the product: plain lists, searched from one end to the other, and its own
hash. What it says must be obvious from reading it.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

Order = dict[str, Any]
Outcome = dict[str, Any]


class NaiveSystem:
    """All streams' live orders, each stream a list in placement order.

    Without an order directory: a stream knows its own orders only.
    """

    def __init__(self, num_streams: int) -> None:
        self._num_streams = num_streams
        self._streams: list[list[Order]] = [[] for _ in range(num_streams)]
        self._seqs = [0] * num_streams

    def apply(self, stream: int, event: Mapping[str, Any] | str, at: str = "") -> Outcome:
        """Apply what stream ``stream`` read, and say what its answer must be.

        Args:
            stream: the partition that the event was read from.
            event: a valid event as decoded from JSON, money as text; or, for a record that is no
                valid event, the reason: ``malformed``, ``invalid`` or ``too_large``.
            at: the record's time, for an event without ``occurred_at``; both are kept as they
                are written.

        Returns:
            ``result``, and where the answer must have them ``reason`` and ``count``.
        """
        if isinstance(event, str):
            return _rejected(event)
        user_id = event.get("user_id")
        if user_id is not None and partition_of(user_id, self._num_streams) != stream:
            return _rejected("wrong_stream")
        at = event.get("occurred_at") or at
        if event["type"] == "place":
            return self._place(stream, event, at)
        if event["type"] == "cancel_all_by_user":
            return self._cancel_all(stream, event["user_id"])
        for order in self._streams[stream]:
            if order["order_id"] == event["order_id"] and user_id in (None, order["user_id"]):
                return self._command(stream, event["type"], order, at)
        return _rejected("unknown_order")

    def live(self) -> list[list[tuple[str, str]]]:
        """Of each stream, the pairs of order id and status in placement order."""
        return [
            [(order["order_id"], order["status"]) for order in stream] for stream in self._streams
        ]

    def orders(self, stream: int) -> list[Order]:
        """A stream's live orders in placement order, as they must be in ``orders.live``.

        ``placed_seq`` and ``seq`` are right as long as no task restores: that makes ``seq`` jump.
        """
        return [dict(order) for order in self._streams[stream]]

    def _place(self, stream: int, event: Mapping[str, Any], at: str) -> Outcome:
        if any(order["order_id"] == event["order_id"] for order in self._streams[stream]):
            return _rejected("duplicate_order")
        seq = self._next_seq(stream)
        order = {
            "schema": 1,
            "order_id": event["order_id"],
            "user_id": event["user_id"],
            "currency": event["currency"],
            "amount": event["amount"],
            "price": event["price"],
            "status": "active",
            "placed_at": at,
            "updated_at": at,
            "stream": stream,
            "placed_seq": seq,
            "seq": seq,
        }
        self._streams[stream].append(order)
        return {"result": "applied"}

    def _command(self, stream: int, command: str, order: Order, at: str) -> Outcome:
        if command == "pause" and order["status"] == "paused":
            return _rejected("already_paused")
        if command == "resume" and order["status"] == "active":
            return _rejected("not_paused")
        if command == "cancel":
            self._next_seq(stream)
            self._streams[stream].remove(order)
        else:
            order["status"] = "paused" if command == "pause" else "active"
            order["updated_at"] = at
            order["seq"] = self._next_seq(stream)
        return {"result": "applied"}

    def _cancel_all(self, stream: int, user_id: str) -> Outcome:
        kept = [order for order in self._streams[stream] if order["user_id"] != user_id]
        count = len(self._streams[stream]) - len(kept)
        self._streams[stream] = kept
        self._seqs[stream] += count
        return {"result": "applied", "count": count}

    def _next_seq(self, stream: int) -> int:
        self._seqs[stream] += 1
        return self._seqs[stream]


class NaiveBook:
    """The in-process system as it looks from outside: one list, and no streams at all."""

    def __init__(self) -> None:
        self._orders: list[Order] = []

    def place(self, order_id: str, user_id: str) -> None:
        """Place an order; one that is live already changes nothing."""
        if not any(order["order_id"] == order_id for order in self._orders):
            self._orders.append({"order_id": order_id, "user_id": user_id, "status": "active"})

    def pause(self, order_id: str) -> bool:
        """Pause an active order."""
        return self._turn(order_id, "active", "paused")

    def resume(self, order_id: str) -> bool:
        """Resume a paused order."""
        return self._turn(order_id, "paused", "active")

    def cancel(self, order_id: str) -> bool:
        """Remove a live order."""
        return self._keep(order for order in self._orders if order["order_id"] != order_id) == 1

    def cancel_all_by_user(self, user_id: str) -> int:
        """Remove a user's orders."""
        return self._keep(order for order in self._orders if order["user_id"] != user_id)

    def display(self) -> list[str]:
        """The list as it is shown."""
        return [
            order["order_id"] + ("(paused)" if order["status"] == "paused" else "")
            for order in self._orders
        ]

    def owner(self, order_id: str) -> tuple[str, str] | None:
        """User and status of a live order."""
        for order in self._orders:
            if order["order_id"] == order_id:
                return order["user_id"], order["status"]
        return None

    def live(self) -> list[tuple[str, str, str]]:
        """Order id, user and status of every live order."""
        return [(one["order_id"], one["user_id"], one["status"]) for one in self._orders]

    def _turn(self, order_id: str, source: str, target: str) -> bool:
        for order in self._orders:
            if order["order_id"] == order_id and order["status"] == source:
                order["status"] = target
                return True
        return False

    def _keep(self, orders: Iterable[Order]) -> int:
        before = len(self._orders)
        self._orders = list(orders)
        return before - len(self._orders)


def _rejected(reason: str) -> Outcome:
    return {"result": "rejected", "reason": reason}


def state_hash(orders: Iterable[Mapping[str, Any]]) -> str:
    """The hash of live orders as decoded from JSON, written from the text of the design."""
    total = 0
    for order in orders:
        fields = ["order_id", "user_id", "currency", "amount", "price", "status", "placed_seq"]
        text = "\u001f".join(str(order[field]) for field in fields)
        total += int(sha256(text.encode("utf-8")).hexdigest(), 16)
    return hex(total % 2**256)[2:].zfill(64)


def partition_of(key: str, partitions: int) -> int:
    """Where Kafka's Java client puts a key."""
    return murmur2(key.encode("utf-8")) % 2**31 % partitions


def murmur2(data: bytes) -> int:
    """MurmurHash2 with Kafka's seed, byte by byte, as an unsigned number."""
    m = 0x5BD1E995
    h = 0x9747B28C ^ len(data)
    whole = len(data) - len(data) % 4
    for i in range(0, whole, 4):
        k = data[i] + data[i + 1] * 2**8 + data[i + 2] * 2**16 + data[i + 3] * 2**24
        k = k * m % 2**32
        k = (k ^ (k >> 24)) * m % 2**32
        h = (h * m % 2**32) ^ k
    rest = data[whole:]
    if len(rest) == 3:
        h ^= rest[2] * 2**16
    if len(rest) >= 2:
        h ^= rest[1] * 2**8
    if len(rest) >= 1:
        h = (h ^ rest[0]) * m % 2**32
    h = (h ^ (h >> 13)) * m % 2**32
    return h ^ (h >> 15)
