"""One stream of orders: the order rules, from a batch of inputs to a batch of outputs.

State changes only through `OrderStream.step`; each input is decided first (a reason, or none) and
only then applied, and applying cannot fail.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from processor.core.order import Order
from processor.core.sharding import stream_of
from processor.core.state_hash import order_digest, state_hash
from schemas.answer import Answer, RejectReason
from schemas.event import Cancel, CancelAllByUser, Event, EventType, Pause, Place, Refusal, Resume
from schemas.live_order import Status
from schemas.timestamp import format_time
from schemas.version import SCHEMA


class Input(NamedTuple):
    """One record to decide on: its offset, its time (microseconds), and what it says."""

    offset: int
    record_time_us: int
    event: Event | Refusal


class Change(NamedTuple):
    """One change of a stream's state; ``order`` is None when the order was removed."""

    seq: int
    order_id: str
    order: Order | None


class Step(NamedTuple):
    """What a batch led to: one answer per input, and the changes, both in order."""

    answers: list[Answer]
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

    __slots__ = ("_by_user", "_digest_sum", "_num_streams", "_orders", "_seq", "stream")

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
        # The user's order ids, in placement order; no user without an order.
        self._by_user: dict[str, dict[str, None]] = {}
        self._digest_sum = 0
        for order in orders:
            self._insert(order)

    @property
    def seq(self) -> int:
        """The number of the last change."""
        return self._seq

    @property
    def state_hash(self) -> str:
        """The hash of the live orders, as 64 hex digits."""
        return state_hash(self._digest_sum)

    def __len__(self) -> int:
        return len(self._orders)

    def __contains__(self, order_id: str) -> bool:
        return order_id in self._orders

    def orders(self) -> list[Order]:
        """The live orders in placement order: a new list of immutable values."""
        return list(self._orders.values())

    def order_ids_of(self, user_id: str) -> list[str]:
        """The ids of a user's live orders, in placement order."""
        return list(self._by_user.get(user_id, ()))

    @property
    def user_count(self) -> int:
        """How many users have live orders."""
        return len(self._by_user)

    def step(self, inputs: Iterable[Input]) -> Step:
        """Decide and apply a batch of inputs, in order.

        Returns:
            One answer per input and the changes that the inputs led to.
        """
        answers: list[Answer] = []
        changes: list[Change] = []
        for offset, record_time_us, event in inputs:
            if type(event) is Refusal:
                answers.append(self._refused(offset, event))
            else:
                answers.append(self._decide(offset, record_time_us, event, changes))
        return Step(answers, changes)

    def _decide(
        self, offset: int, record_time_us: int, event: Any, changes: list[Change]
    ) -> Answer:
        at_us = event.occurred_at
        if at_us is None:
            at_us = record_time_us
        answer: Answer = {
            "schema": SCHEMA,
            "input": {"partition": self.stream, "offset": offset},
            "type": event.type,
            "occurred_at": format_time(at_us),
            "result": "applied",
        }
        if event.event_id is not None:
            answer["event_id"] = event.event_id
        reason = _RULES[type(event)](self, event, at_us, answer, changes)
        if reason is not None:
            answer["result"] = "rejected"
            answer["reason"] = reason
        return answer

    def _refused(self, offset: int, refusal: Refusal) -> Answer:
        answer: Answer = {
            "schema": SCHEMA,
            "input": {"partition": self.stream, "offset": offset},
            "result": "rejected",
            "reason": refusal.reason,
        }
        if refusal.type is not None:
            answer["type"] = refusal.type
        if refusal.order_id is not None:
            answer["order_id"] = refusal.order_id
        if refusal.user_id is not None:
            answer["user_id"] = refusal.user_id
        if refusal.event_id is not None:
            answer["event_id"] = refusal.event_id
        return answer

    def _place(
        self, event: Place, at_us: int, answer: Answer, changes: list[Change]
    ) -> RejectReason | None:
        order_id, user_id = event.order_id, event.user_id
        answer["order_id"] = order_id
        answer["user_id"] = user_id
        if stream_of(user_id, self._num_streams) != self.stream:
            return "wrong_stream"
        if order_id in self._orders:
            return "duplicate_order"
        seq = self._seq = self._seq + 1
        order = Order(
            order_id,
            user_id,
            event.currency,
            event.amount,
            event.price,
            "active",
            at_us,
            at_us,
            seq,
            seq,
        )
        self._insert(order)
        changes.append(Change(seq, order_id, order))
        return None

    def _command(
        self, event: Pause | Resume | Cancel, at_us: int, answer: Answer, changes: list[Change]
    ) -> RejectReason | None:
        order_id, user_id = event.order_id, event.user_id
        answer["order_id"] = order_id
        if user_id is not None:
            answer["user_id"] = user_id
            if stream_of(user_id, self._num_streams) != self.stream:
                return "wrong_stream"
        order = self._orders.get(order_id)
        if order is None or (user_id is not None and user_id != order.user_id):
            return "unknown_order"
        answer["user_id"] = order.user_id
        outcome = TRANSITIONS[order.status, event.type]
        if outcome is None:
            self._remove(order, changes)
            return None
        if outcome == "active" or outcome == "paused":
            self._set_status(order, outcome, at_us, changes)
            return None
        return outcome

    def _cancel_all(
        self, event: CancelAllByUser, at_us: int, answer: Answer, changes: list[Change]
    ) -> RejectReason | None:
        answer["user_id"] = event.user_id
        if stream_of(event.user_id, self._num_streams) != self.stream:
            return "wrong_stream"
        order_ids = self.order_ids_of(event.user_id)
        for order_id in order_ids:
            self._remove(self._orders[order_id], changes)
        answer["count"] = len(order_ids)
        return None

    def _insert(self, order: Order) -> None:
        of_user = self._by_user.get(order.user_id)
        if of_user is None:
            of_user = self._by_user[order.user_id] = {}
        of_user[order.order_id] = None
        self._orders[order.order_id] = order
        self._digest_sum += order_digest(order)

    def _set_status(self, order: Order, status: Status, at_us: int, changes: list[Change]) -> None:
        seq = self._seq = self._seq + 1
        changed = Order(*order[:5], status, order.placed_at_us, at_us, order.placed_seq, seq)
        # The key stays, so the order keeps its place in the list.
        self._orders[order.order_id] = changed
        self._digest_sum += order_digest(changed) - order_digest(order)
        changes.append(Change(seq, order.order_id, changed))

    def _remove(self, order: Order, changes: list[Change]) -> None:
        seq = self._seq = self._seq + 1
        del self._orders[order.order_id]
        of_user = self._by_user[order.user_id]
        del of_user[order.order_id]
        if not of_user:
            del self._by_user[order.user_id]
        self._digest_sum -= order_digest(order)
        changes.append(Change(seq, order.order_id, None))


_RULES: Final[dict[type, Callable[..., RejectReason | None]]] = {
    Place: OrderStream._place,
    Pause: OrderStream._command,
    Resume: OrderStream._command,
    Cancel: OrderStream._command,
    CancelAllByUser: OrderStream._cancel_all,
}
