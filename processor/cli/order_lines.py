"""Live orders and their changes, for people and as JSON lines."""

import json
from collections.abc import Sequence

from processor.cli.columns import Row, columns, row_line
from processor.cli.output import Paint
from processor.cli.text import counted, dump_json, safe, safe_json
from processor.core.order import Order
from processor.core.records import order_json
from processor.core.view_change import ViewChange
from schemas.timestamp import format_time, record_time_us

ORDER_HEADS: Row = (
    "order",
    "user",
    "amount (currency)",
    "price (per unit)",
    "placed at (UTC)",
    "stream",
)
CHANGE_HEADS: Row = (
    "committed at (UTC)",
    "stream",
    "change",
    "order",
    "user",
    "amount (currency)",
    "price (per unit)",
)
_CHANGE_WIDTHS = (24, 6, 7, 20, 16, 18, 16)
_CHANGE_COLUMN = 2
CHANGE_STYLES = {"placed": "green", "paused": "yellow", "resumed": "cyan", "removed": "red"}
_NOT_SEEN = "-"


def order_table(orders: Sequence[tuple[int, Order]], paint: Paint) -> list[str]:
    """A table of live orders, with a line below that counts them."""
    rows = [
        (
            safe(order.label()),
            safe(order.user_id),
            f"{order.amount} {order.currency}",
            order.price,
            format_time(order.placed_at_us),
            str(stream),
        )
        for stream, order in orders
    ]
    heads, *lines = columns(ORDER_HEADS, rows, right=(2, 3, 5))
    return [paint(heads, "bold"), *lines]


def order_count(orders: Sequence[tuple[int, Order]]) -> str:
    """How many orders there are, in words."""
    paused = sum(order.status == "paused" for _, order in orders)
    count = counted(len(orders), "live order")
    return f"{count}, {paused:,} paused" if paused else count


def order_line_json(stream: int, order: Order) -> str:
    """An order as its record in ``orders.live``."""
    return safe_json(order_json(order, stream))


def change_heads(paint: Paint) -> str:
    """The heads above the lines of changes."""
    return paint(row_line(CHANGE_HEADS, _CHANGE_WIDTHS, right=(1, 5, 6)), "bold")


def listed_line(stream: int, order: Order) -> str:
    """An order that was live at the beginning, as a line among changes."""
    return row_line(_cells(stream, "live", order, None), _CHANGE_WIDTHS, right=(1, 5, 6))


def change_line(stream: int, change: ViewChange, timestamp_ms: int | None, paint: Paint) -> str:
    """A change as a line: when, stream, what, order, user."""
    cells = _cells(stream, change.kind, change.order, timestamp_ms)
    widths = list(_CHANGE_WIDTHS)
    cells[_CHANGE_COLUMN] = cells[_CHANGE_COLUMN].ljust(widths[_CHANGE_COLUMN])
    before, after = cells[:_CHANGE_COLUMN], cells[_CHANGE_COLUMN + 1 :]
    return "  ".join(
        (
            row_line(before, widths[:_CHANGE_COLUMN], right=(1,)),
            paint(cells[_CHANGE_COLUMN], CHANGE_STYLES[change.kind]),
            row_line(after, widths[_CHANGE_COLUMN + 1 :], right=(2, 3)),
        )
    )


def _cells(stream: int, kind: str, order: Order, timestamp_ms: int | None) -> list[str]:
    return [
        _NOT_SEEN if timestamp_ms is None else format_time(record_time_us(timestamp_ms)),
        str(stream),
        kind,
        safe(order.order_id if kind == "removed" else order.label()),
        safe(order.user_id),
        f"{order.amount} {order.currency}",
        order.price,
    ]


def listed_json(stream: int, order: Order) -> str:
    """An order that was live at the beginning, in the shape of a change."""
    return _change_json("live", stream, order.seq, order, None)


def change_json(stream: int, change: ViewChange, timestamp_ms: int | None) -> str:
    """A change as one JSON object; without ``order`` when the order was removed."""
    return _change_json(change.kind, stream, change.seq, change.order, timestamp_ms)


def _change_json(
    kind: str, stream: int, seq: int | None, order: Order, timestamp_ms: int | None
) -> str:
    content: dict[str, object] = {"change": kind}
    if timestamp_ms is not None:
        content["committed_at"] = format_time(record_time_us(timestamp_ms))
    content["stream"] = stream
    if seq is not None:
        content["seq"] = seq
    content |= {"order_id": order.order_id, "user_id": order.user_id}
    if kind != "removed":
        content["order"] = json.loads(order_json(order, stream))
    return dump_json(content)
