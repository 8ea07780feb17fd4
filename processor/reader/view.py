"""A reader's view of one stream: its latest whole snapshot, joined with the changes after it."""

from collections.abc import Iterable
from typing import NamedTuple

from processor.core.orders.order import Order, from_record
from processor.core.orders.state_hash import hash_orders
from processor.reader.view_change import ViewChange, changes_between
from processor.wire.live_order import SEQ_HEADER, TIME_HEADER, parse_live_order
from processor.wire.snapshot import (
    BEGIN,
    CHUNK,
    END,
    SLOTS,
    Slot,
    SnapshotBegin,
    begin_key,
    chunk_key,
    end_key,
)
from processor.wire.timestamp import parse_time


class Snapshot(NamedTuple):
    """A whole snapshot: its head and its orders, in placement order."""

    begin: SnapshotBegin
    orders: list[Order]

    @property
    def taken_at_us(self) -> int:
        """When it was taken, microseconds since the epoch."""
        return parse_time(self.begin["taken_at"])


class SnapshotTable:
    """The latest record of each key of one partition of ``orders.snapshots``."""

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}

    def put(self, key: bytes | None, value: bytes | None) -> None:
        """Take the partition's next record."""
        if key is None:
            return
        if value is None:
            self._values.pop(key, None)
        else:
            self._values[key] = value

    def latest(self) -> Snapshot | None:
        """The latest snapshot whose begin, chunks and end all agree, if there is one."""
        whole = [snapshot for slot in SLOTS if (snapshot := self._assemble(slot)) is not None]
        return max(
            whole,
            key=lambda one: (one.begin["as_of_seq"], one.begin["as_of_offset"]),
            default=None,
        )

    def _assemble(self, slot: Slot) -> Snapshot | None:
        try:
            begin = BEGIN.validate_json(self._values[begin_key(slot)])
            end = END.validate_json(self._values[end_key(slot)])
            if end["snapshot_id"] != begin["snapshot_id"]:
                return None
            orders: list[Order] = []
            for number in range(end["chunks"]):
                chunk = CHUNK.validate_json(self._values[chunk_key(slot, number)])
                if chunk["snapshot_id"] != begin["snapshot_id"] or chunk["chunk"] != number:
                    return None
                orders.extend(map(from_record, chunk["orders"]))
        except (KeyError, ValueError):
            return None
        if len(orders) != end["order_count"] or hash_orders(orders) != end["state_hash"]:
            return None
        return Snapshot(begin, orders)


class StreamView:
    """The live orders of one stream as a reader knows them."""

    def __init__(self, snapshot: Snapshot | None = None) -> None:
        """Begin with a snapshot, or, to read ``orders.live`` from its start, with nothing."""
        orders: Iterable[Order] = () if snapshot is None else snapshot.orders
        self._as_of_seq = 0 if snapshot is None else snapshot.begin["as_of_seq"]
        self._orders = {order.order_id: order for order in orders}

    def put(
        self, key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes | None]]
    ) -> list[ViewChange]:
        """Take the next record of the stream's ``orders.live``; what the snapshot has is dropped.

        Returns:
            What it changed.

        Raises:
            ValueError: the record is none of the processor's.
        """
        if value is None:
            said = dict(headers)
            seq = int(said.get(SEQ_HEADER) or b"0")
            if seq <= self._as_of_seq:
                return []
            gone = self._orders.pop((key or b"").decode(), None)
            at = said.get(TIME_HEADER)  # not there in what an older version wrote
            at_us = None if at is None else parse_time(at.decode())
            return changes_between(gone, None, removed_seq=seq, removed_at_us=at_us)
        order = from_record(parse_live_order(value))
        if order.seq <= self._as_of_seq:
            return []
        before = self._orders.get(order.order_id)
        self._orders[order.order_id] = order
        return changes_between(before, order)

    def changes_to(self, later: "StreamView") -> list[ViewChange]:
        """The changes between this view and a later one of the same stream, in their order."""
        said = [
            change
            for order_id in self._orders.keys() | later._orders.keys()
            for change in changes_between(self._orders.get(order_id), later._orders.get(order_id))
        ]
        # Removals without a number first: the id may have been placed anew.
        return sorted(said, key=lambda change: (change.seq or 0, change.order.placed_seq))

    def orders(self) -> list[Order]:
        """The live orders in placement order."""
        return sorted(self._orders.values(), key=lambda order: order.placed_seq)
