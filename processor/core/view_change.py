"""What a reader sees change in the list of a stream."""

from typing import Literal, NamedTuple

from processor.core.order import Order

ChangeKind = Literal["placed", "paused", "resumed", "removed"]


class ViewChange(NamedTuple):
    """One change.

    ``order`` is the order after it, or, when it was removed, as it was last; ``seq`` is the
    change's number in its stream, None for a removal whose record compaction has taken.
    """

    kind: ChangeKind
    seq: int | None
    order: Order


def changes_between(
    before: Order | None, after: Order | None, *, removed_seq: int | None = None
) -> list[ViewChange]:
    """What happened to an order id, from two states of it.

    Compaction may have taken what lies between: an id that was placed anew was removed before.
    """
    said: list[ViewChange] = []
    if before is not None and (after is None or after.placed_seq != before.placed_seq):
        said.append(ViewChange("removed", None if after is not None else removed_seq, before))
        before = None
    if after is not None and (before is None or after.seq != before.seq):
        said.append(ViewChange(_kind(after), after.seq, after))
    return said


def _kind(order: Order) -> ChangeKind:
    """An order's last change: it is what its place, or its last pause or resume, left."""
    if order.seq == order.placed_seq:
        return "placed"
    return "paused" if order.status == "paused" else "resumed"
