"""One list from many streams."""

from collections.abc import Iterable
from heapq import merge

from processor.core.orders.order import Order


def merge_streams(streams: Iterable[tuple[int, Iterable[Order]]]) -> list[tuple[int, Order]]:
    """Merge lists by ``placed_at``, ties by stream, keeping each stream's placement order.

    Args:
        streams: each stream's number and its orders in placement order.

    Returns:
        Pairs of stream and order.
    """
    numbered = [[(stream, order) for order in orders] for stream, orders in streams]
    return list(merge(*numbered, key=lambda pair: (pair[1].placed_at_us, pair[0])))
