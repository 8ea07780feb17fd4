"""One stream of orders: the order rules, from a batch of inputs to a batch of outputs.

State changes only through `OrderStream.step`; each input is decided first (a reason, or none) and
only then applied, and applying cannot fail. What goes in and comes out are plain tuples: they are
made for every event, and a named one takes four times as long to make.
"""

from collections.abc import Iterable, Iterator
from sys import intern
from typing import Final, NamedTuple

from processor.core.event_time.seen_ids import SeenIds, id_digest
from processor.core.orders.order import Order, OrderRow
from processor.core.orders.state_hash import hash_orders
from processor.core.sharding import stream_of
from processor.wire.answer import Reason, RejectReason
from processor.wire.event import (
    Cancel,
    CancelAllByUser,
    Event,
    EventType,
    Pause,
    Place,
    Refusal,
    Resume,
)
from processor.wire.live_order import Status

Input = tuple[int, int, Event | Refusal]
"""One record to decide on: offset, time of the record in microseconds, and what it says."""

Decision = tuple[
    int, EventType | None, str | None, str | None, str | None, int | None, Reason | None, int | None
]
"""The decision on one input: offset, type, order id, user id, event id, event time in microseconds,
the reason (the rule that it broke; None: applied), and how many orders a cancel-all removed.

None stands for what could not be read, or is not known.
"""

Removed = tuple[str, int, int, int]
"""An order that is no longer live: its id, its ``placed_seq``, the event time in microseconds of
what removed it, and the ``seq`` of this change."""

Change = OrderRow | Removed
"""One change of a stream's state."""


class Step(NamedTuple):
    """The effects of a batch: one decision per input, and the changes, both in order."""

    decisions: list[Decision]
    changes: list[Change]


TRANSITIONS: Final[dict[tuple[Status, EventType], Status | RejectReason | None]] = {
    ("active", "pause"): "paused",
    ("paused", "pause"): "already_paused",
    ("active", "resume"): "not_paused",
    ("paused", "resume"): "active",
    ("active", "cancel"): None,
    ("paused", "cancel"): None,
}
"""A live order's next status (None: removed), or the name of the rule that forbids the command."""


class OrderStream:
    """The live orders of the users of one stream, in placement order.

    place, pause, resume and cancel take constant time; cancel-all takes the user's orders.
    """

    __slots__ = ("_by_user", "_num_streams", "_orders", "_seq", "_seq_sum", "stream")

    def __init__(
        self, stream: int, num_streams: int, *, seq: int = 0, orders: Iterable[Order] = ()
    ) -> None:
        """Make a stream.

        Args:
            stream: this stream's number, 0 to ``num_streams - 1``.
            num_streams: how many streams users are spread over.
            seq: the last change's number.
            orders: the live orders, in placement order.
        """
        self.stream = stream
        self._num_streams = num_streams
        self._seq = seq
        self._orders: dict[str, OrderRow] = {}
        # The user's id, one string for all their orders, and their order ids in placement order;
        # no user without an order.
        self._by_user: dict[str, tuple[str, dict[str, None]]] = {}
        self._seq_sum = 0
        for order in orders:
            entry = self._by_user.setdefault(order.user_id, (order.user_id, {}))
            entry[1][order.order_id] = None
            self._orders[order.order_id] = (order.order_id, entry[0], *order[2:])
            self._seq_sum += order.seq

    @property
    def seq(self) -> int:
        """The number of the last change."""
        return self._seq

    @property
    def seq_sum(self) -> int:
        """The sum of the live orders' ``seq``, kept up to date with every change.

        Each change has a number of its own, so a table that misses an order, or has an older
        version of one, has another sum.
        """
        return self._seq_sum

    @property
    def state_hash(self) -> str:
        """The hash of the live orders, as 64 hex digits; takes time for each of them.

        Not kept up to date with every change: a snapshot is where it is needed, and there each
        order costs one hash a snapshot instead of one or two a change.
        """
        return hash_orders(self._orders.values())

    def __len__(self) -> int:
        return len(self._orders)

    def __contains__(self, order_id: str) -> bool:
        return order_id in self._orders

    def orders(self) -> list[Order]:
        """The live orders in placement order."""
        return [Order(*row) for row in self._orders.values()]

    def rows(self) -> list[OrderRow]:
        """The live orders in placement order: a new list of the immutable values kept here."""
        return list(self._orders.values())

    def order_ids_of(self, user_id: str) -> list[str]:
        """The ids of a user's live orders, in placement order."""
        entry = self._by_user.get(user_id)
        return [] if entry is None else list(entry[1])

    @property
    def user_count(self) -> int:
        """How many users have live orders."""
        return len(self._by_user)

    def step(self, inputs: Iterable[Input], seen: SeenIds | None = None) -> Step:
        """Decide and apply a batch of inputs, in order.

        Args:
            inputs: what to decide on.
            seen: the ids of the events before, if repeats are to be refused; gets those of these.

        Returns:
            One decision per input and the changes that the inputs led to.
        """
        changes: list[Change] = []
        return Step(list(self.decide(inputs, seen, changes)), changes)

    def decide(
        self, inputs: Iterable[Input], seen: SeenIds | None, changes: list[Change]
    ) -> Iterator[Decision]:
        """Decide and apply inputs one by one, each when its decision is asked for.

        Args:
            inputs: what to decide on.
            seen: as in `step`.
            changes: gets the changes that each input leads to, before its decision is given.
        """
        digest: int | None = None
        for offset, record_time_us, event in inputs:
            if type(event) is Refusal:
                yield refused_decision(offset, event)
                continue
            at_us = event.get("occurred_at")
            if at_us is None:
                at_us = record_time_us
            if seen is not None:
                event_id = event.get("event_id")
                digest = None
                if event_id is not None:
                    digest = id_digest(event_id)
                    if digest in seen and not self._belongs_elsewhere(event):
                        seen.add(digest)
                        yield _repeated(offset, at_us, event)
                        continue
            if event["type"] == "place":
                decision = self._place(offset, at_us, event, changes)
            elif event["type"] == "cancel_all_by_user":
                decision = self._cancel_all(offset, at_us, event, changes)
            else:
                decision = self._command(offset, at_us, event, changes)
            if seen is not None and (decision[6] is None or self._is_final(decision)):
                if digest is None:
                    seen.skip(1)
                else:
                    seen.add(digest)
            yield decision

    def _is_taken(self, order_id: str) -> bool:
        """Whether a live order has the id."""
        return order_id in self._orders

    def is_foreign(self, user_id: str) -> bool:
        """Whether the user belongs to another stream; one with live orders here does not."""
        return user_id not in self._by_user and stream_of(user_id, self._num_streams) != self.stream

    def _belongs_elsewhere(self, event: Event) -> bool:
        """Whether an event says that it is another stream's."""
        user_id = event.get("user_id")
        return user_id is not None and self.is_foreign(user_id)

    def _is_final(self, decision: Decision) -> bool:
        """Whether an event is finished with its rejection, and does not belong elsewhere."""
        return decision[6] != "wrong_stream"

    def _place(self, offset: int, at_us: int, event: Place, changes: list[Change]) -> Decision:
        order_id, user_id = event["order_id"], event["user_id"]
        reason: RejectReason | None = None
        entry = self._by_user.get(user_id)
        if entry is None and stream_of(user_id, self._num_streams) != self.stream:
            reason = "wrong_stream"
        elif self._is_taken(order_id):
            reason = "duplicate_order"
        else:
            if entry is None:
                entry = self._by_user[user_id] = (user_id, {})
            seq = self._seq = self._seq + 1
            order: OrderRow = (
                order_id,
                entry[0],
                intern(event["currency"]),  # few currencies, many orders
                event["amount"],
                event["price"],
                "active",
                at_us,
                at_us,
                seq,
                seq,
            )
            entry[1][order_id] = None
            self._orders[order_id] = order
            self._seq_sum += seq
            changes.append(order)
        return offset, "place", order_id, user_id, event.get("event_id"), at_us, reason, None

    def _command(
        self, offset: int, at_us: int, event: Pause | Resume | Cancel, changes: list[Change]
    ) -> Decision:
        order_id, user_id, event_type = event["order_id"], event.get("user_id"), event["type"]
        reason: RejectReason | None = None
        order = self._orders.get(order_id)
        # An order's own user belongs here: no need to ask.
        if order is not None and (user_id is None or user_id == order[1]):
            _, user_id, currency, amount, price, status, placed_at_us, _, placed_seq, _ = order
            outcome = TRANSITIONS[status, event_type]
            if outcome is None:
                self._remove(order, at_us, changes)
            elif outcome == "active" or outcome == "paused":
                self._seq = seq = self._seq + 1
                self._seq_sum += seq - order[9]
                changed: OrderRow = (
                    order_id,
                    user_id,
                    currency,
                    amount,
                    price,
                    outcome,
                    placed_at_us,
                    at_us,
                    placed_seq,
                    seq,
                )
                # The key stays, so the order keeps its place in the list.
                self._orders[order_id] = changed
                changes.append(changed)
            else:
                reason = outcome
        elif user_id is not None and self.is_foreign(user_id):
            reason = "wrong_stream"
        else:
            reason = "unknown_order"
        return offset, event_type, order_id, user_id, event.get("event_id"), at_us, reason, None

    def _cancel_all(
        self, offset: int, at_us: int, event: CancelAllByUser, changes: list[Change]
    ) -> Decision:
        user_id = event["user_id"]
        reason: RejectReason | None = None
        count: int | None = None
        if self.is_foreign(user_id):
            reason = "wrong_stream"
        else:
            order_ids = self.order_ids_of(user_id)
            count = len(order_ids)
            for order_id in order_ids:
                self._remove(self._orders[order_id], at_us, changes)
        return offset, event["type"], None, user_id, event.get("event_id"), at_us, reason, count

    def _remove(self, order: OrderRow, at_us: int, changes: list[Change]) -> None:
        seq = self._seq = self._seq + 1
        order_id, user_id = order[0], order[1]
        del self._orders[order_id]
        self._seq_sum -= order[9]
        order_ids = self._by_user[user_id][1]
        del order_ids[order_id]
        if not order_ids:
            del self._by_user[user_id]
        changes.append((order_id, order[8], at_us, seq))


def refused_decision(offset: int, refusal: Refusal) -> Decision:
    """The decision about an input that is refused."""
    return (
        offset,
        refusal.type,
        refusal.order_id,
        refusal.user_id,
        refusal.event_id,
        refusal.at_us,
        refusal.reason,
        None,
    )


def _repeated(offset: int, at_us: int, event: Event) -> Decision:
    return (
        offset,
        event["type"],
        None if event["type"] == "cancel_all_by_user" else event["order_id"],
        event.get("user_id"),
        event.get("event_id"),
        at_us,
        "duplicate_event",
        None,
    )
