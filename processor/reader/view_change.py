"""Changes in the list of a stream, as a reader sees them."""

from typing import Literal, NamedTuple

from processor.core.orders.order import Order

ChangeKind = Literal["placed", "paused", "resumed", "removed"]


class ViewChange(NamedTuple):
    """One change.

    ``order`` is the order after it, or, when it was removed, as it was last; ``seq`` is the
    change's number in its stream, and ``removed_at_us`` the event time of a removal: None if its
    record was taken by compaction, or does not say.
    """

    kind: ChangeKind
    seq: int | None
    order: Order
    removed_at_us: int | None = None

    @property
    def at_us(self) -> int | None:
        """The event time of the change, microseconds since the epoch."""
        return self.removed_at_us if self.kind == "removed" else self.order.updated_at_us


def changes_between(
    before: Order | None,
    after: Order | None,
    *,
    removed_seq: int | None = None,
    removed_at_us: int | None = None,
) -> list[ViewChange]:
    """The change of an order id, from two states of it.

    Compaction may have taken what lies between: an id that was placed anew was removed before.
    """
    said: list[ViewChange] = []
    if before is not None and (after is None or after.placed_seq != before.placed_seq):
        if after is not None:
            removed_seq = removed_at_us = None
        said.append(ViewChange("removed", removed_seq, before, removed_at_us))
        before = None
    if after is not None and (before is None or after.seq != before.seq):
        said.append(ViewChange(_kind(after), after.seq, after))
    return said


def _kind(order: Order) -> ChangeKind:
    """An order's last change: it is what its place, or its last pause or resume, left."""
    if order.seq == order.placed_seq:
        return "placed"
    return "paused" if order.status == "paused" else "resumed"
