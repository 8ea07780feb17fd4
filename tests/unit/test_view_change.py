"""What a reader sees change, from two states of an order."""

import pytest

from processor.core.orders.order import Order
from processor.core.orders.records import order_json
from processor.reader.view import StreamView
from processor.reader.view_change import changes_between
from tests.builders import order

ACTIVE = order("o1", placed_seq=1)
PAUSED = order("o1", placed_seq=1, seq=2, status="paused")
RESUMED = order("o1", placed_seq=1, seq=3)
ANEW = order("o1", placed_seq=9)


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        (None, None, []),
        (None, ACTIVE, ["placed"]),
        (None, PAUSED, ["paused"]),
        (ACTIVE, ACTIVE, []),
        (ACTIVE, PAUSED, ["paused"]),
        (PAUSED, RESUMED, ["resumed"]),
        (ACTIVE, RESUMED, ["resumed"]),
        (ACTIVE, None, ["removed"]),
        (PAUSED, ANEW, ["removed", "placed"]),
    ],
)
def test_a_change_is_known_from_the_states(
    before: Order | None, after: Order | None, kinds: list[str]
) -> None:
    assert [change.kind for change in changes_between(before, after)] == kinds


def view(*orders: Order) -> StreamView:
    made = StreamView()
    for one in orders:
        made.put(one.order_id.encode(), order_json(one, 0), [])
    return made


def test_between_two_views_changes_come_in_their_order_and_removals_first() -> None:
    earlier = view(order("gone", placed_seq=1), order("o2", placed_seq=2))
    later = view(order("o3", placed_seq=5), order("o2", placed_seq=2, seq=4, status="paused"))
    told = [(change.kind, change.order.order_id) for change in earlier.changes_to(later)]
    assert told == [("removed", "gone"), ("paused", "o2"), ("placed", "o3")]
