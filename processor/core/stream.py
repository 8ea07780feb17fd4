"""One stream of orders: the order rules, from a batch of inputs to a batch of outputs.

State changes only through `OrderStream.step`; each input is decided first (a reason, or none) and
only then applied, and applying cannot fail.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from processor.core.order import Order
from processor.core.sharding import stream_of
from processor.core.state_hash import hash_orders
from schemas.answer import Reason, RejectReason
from schemas.event import Cancel, CancelAllByUser, Event, EventType, Pause, Place, Refusal, Resume
from schemas.live_order import Status


class Input(NamedTuple):
    """One record to decide on: its offset, its time (microseconds), and what it says."""

    offset: int
    record_time_us: int
    event: Event | Refusal


class Decision(NamedTuple):
    """What became of one input; ``reason`` names the rule that it broke, None means applied.

    ``at_us`` is the event time in microseconds, ``removed`` the count of a cancel-all. None stands
    for what could not be read, or is not known.
    """

    offset: int
    type: EventType | None
    order_id: str | None
    user_id: str | None
    event_id: str | None
    at_us: int | None
    reason: Reason | None
    removed: int | None


class Change(NamedTuple):
    """One change of a stream's state; ``order`` is None when the order was removed."""

    seq: int
    order_id: str
    order: Order | None


class Step(NamedTuple):
    """What a batch led to: one decision per input, and the changes, both in order."""

    decisions: list[Decision]
    changes: list[Change]


# NamedTuples made this way cost half of a call of the class: this runs for every event.
_new: Final[Any] = tuple.__new__


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
        self._orders: dict[str, Order] = {}
        # The user's id, one string for all their orders, and their order ids in placement order;
        # no user without an order.
        self._by_user: dict[str, tuple[str, dict[str, None]]] = {}
        self._seq_sum = 0
        for order in orders:
            entry = self._by_user.setdefault(order.user_id, (order.user_id, {}))
            entry[1][order.order_id] = None
            self._orders[order.order_id] = order._replace(user_id=entry[0])
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
        """The live orders in placement order: a new list of immutable values."""
        return list(self._orders.values())

    def order_ids_of(self, user_id: str) -> list[str]:
        """The ids of a user's live orders, in placement order."""
        entry = self._by_user.get(user_id)
        return [] if entry is None else list(entry[1])

    @property
    def user_count(self) -> int:
        """How many users have live orders."""
        return len(self._by_user)

    def step(self, inputs: Iterable[Input | tuple[int, int, Event | Refusal]]) -> Step:
        """Decide and apply a batch of inputs, in order.

        Returns:
            One decision per input and the changes that the inputs led to.
        """
        changes: list[Change] = []
        rules = _RULES
        decisions = [
            rules[type(event)](self, offset, record_time_us, event, changes)
            for offset, record_time_us, event in inputs
        ]
        return Step(decisions, changes)

    def _refused(
        self, offset: int, _record_time_us: int, refusal: Refusal, _changes: list[Change]
    ) -> Decision:
        return Decision(
            offset,
            refusal.type,
            refusal.order_id,
            refusal.user_id,
            refusal.event_id,
            None,
            refusal.reason,
            None,
        )

    def _place(
        self, offset: int, record_time_us: int, event: Place, changes: list[Change]
    ) -> Decision:
        order_id, user_id = event.order_id, event.user_id
        at_us = event.occurred_at
        if at_us is None:
            at_us = record_time_us
        reason: RejectReason | None = None
        entry = self._by_user.get(user_id)
        if entry is None and stream_of(user_id, self._num_streams) != self.stream:
            reason = "wrong_stream"
        elif order_id in self._orders:
            reason = "duplicate_order"
        else:
            if entry is None:
                entry = self._by_user[user_id] = (user_id, {})
            seq = self._seq = self._seq + 1
            order: Order = _new(
                Order,
                (
                    order_id,
                    entry[0],
                    event.currency,
                    event.amount,
                    event.price,
                    "active",
                    at_us,
                    at_us,
                    seq,
                    seq,
                ),
            )
            entry[1][order_id] = None
            self._orders[order_id] = order
            self._seq_sum += seq
            changes.append(_new(Change, (seq, order_id, order)))
        decision: Decision = _new(
            Decision, (offset, "place", order_id, user_id, event.event_id, at_us, reason, None)
        )
        return decision

    def _command(
        self,
        offset: int,
        record_time_us: int,
        event: Pause | Resume | Cancel,
        changes: list[Change],
    ) -> Decision:
        order_id, user_id = event.order_id, event.user_id
        at_us = event.occurred_at
        if at_us is None:
            at_us = record_time_us
        reason: Any = None
        order = self._orders.get(order_id)
        # An order's own user belongs here: no need to ask.
        if order is not None and (user_id is None or user_id == order.user_id):
            user_id = order.user_id
            outcome = TRANSITIONS[order.status, event.type]
            if outcome is None:
                self._remove(order, changes)
            elif outcome == "active" or outcome == "paused":
                self._set_status(order, outcome, at_us, changes)
            else:
                reason = outcome
        elif user_id is not None and self._is_foreign(user_id):
            reason = "wrong_stream"
        else:
            reason = "unknown_order"
        decision: Decision = _new(
            Decision, (offset, event.type, order_id, user_id, event.event_id, at_us, reason, None)
        )
        return decision

    def _cancel_all(
        self, offset: int, record_time_us: int, event: CancelAllByUser, changes: list[Change]
    ) -> Decision:
        user_id = event.user_id
        at_us = record_time_us if event.occurred_at is None else event.occurred_at
        reason: RejectReason | None = None
        count: int | None = None
        if self._is_foreign(user_id):
            reason = "wrong_stream"
        else:
            order_ids = self.order_ids_of(user_id)
            count = len(order_ids)
            for order_id in order_ids:
                self._remove(self._orders[order_id], changes)
        return Decision(offset, event.type, None, user_id, event.event_id, at_us, reason, count)

    def _is_foreign(self, user_id: str) -> bool:
        """Whether the user belongs to another stream; one with live orders here does not."""
        return user_id not in self._by_user and stream_of(user_id, self._num_streams) != self.stream

    def _set_status(self, order: Order, status: Status, at_us: int, changes: list[Change]) -> None:
        seq = self._seq = self._seq + 1
        changed: Order = _new(
            Order, (*order[:5], status, order.placed_at_us, at_us, order.placed_seq, seq)
        )
        # The key stays, so the order keeps its place in the list.
        self._orders[order.order_id] = changed
        self._seq_sum += seq - order.seq
        changes.append(_new(Change, (seq, order.order_id, changed)))

    def _remove(self, order: Order, changes: list[Change]) -> None:
        seq = self._seq = self._seq + 1
        order_id, user_id = order.order_id, order.user_id
        del self._orders[order_id]
        self._seq_sum -= order.seq
        order_ids = self._by_user[user_id][1]
        del order_ids[order_id]
        if not order_ids:
            del self._by_user[user_id]
        changes.append(_new(Change, (seq, order_id, None)))


_RULES: Final[dict[type, Callable[..., Decision]]] = {
    Place: OrderStream._place,
    Pause: OrderStream._command,
    Resume: OrderStream._command,
    Cancel: OrderStream._command,
    CancelAllByUser: OrderStream._cancel_all,
    Refusal: OrderStream._refused,
}
