"""One list from many streams."""

import pytest

from processor.core.orders.merge import merge_streams
from processor.core.orders.order import Order
from tests.builders import order


def orders(*placed_at_us: int) -> list[Order]:
    return [order(f"o{at}", placed_at_us=at, placed_seq=n) for n, at in enumerate(placed_at_us)]


@pytest.mark.parametrize(
    ("streams", "expected"),
    [
        ([], []),
        ([(0, [])], []),
        ([(0, orders(1, 4)), (1, orders(2, 3))], [(0, 1), (1, 2), (1, 3), (0, 4)]),
        # Ties by stream, whatever order the streams come in.
        ([(1, orders(5)), (0, orders(5))], [(0, 5), (1, 5)]),
        ([(2, orders(5, 5)), (0, orders(5))], [(0, 5), (2, 5), (2, 5)]),
        # Event times may go back: a stream keeps its placement order nevertheless.
        ([(0, orders(9, 1)), (1, orders(5))], [(1, 5), (0, 9), (0, 1)]),
    ],
)
def test_streams_merge_by_time_then_stream_and_keep_their_own_order(
    streams: list[tuple[int, list[Order]]], expected: list[tuple[int, int]]
) -> None:
    merged = merge_streams(streams)
    assert [(stream, one.placed_at_us) for stream, one in merged] == expected
