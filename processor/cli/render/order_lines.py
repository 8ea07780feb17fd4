"""Live orders and their changes, for people and as JSON lines."""

import json
from collections.abc import Sequence

from rich.cells import cell_len

from processor.cli.render.fitting import Cell, Column, Shape, fitted, line, unfitted
from processor.cli.render.text import counted, dump_json, safe, safe_json
from processor.cli.terminal.output import Paint
from processor.core.orders.order import Order
from processor.core.orders.records import order_json
from processor.reader.view_change import ViewChange
from processor.wire.timestamp import format_time, record_time_us

_STAMP_WIDTH = 24
_SECONDS_WIDTH = 20
# Ids keep enough to tell them apart; a pause and a currency are never cut off.
_ID_LEAST, _USER_LEAST, _AMOUNT_LEAST, _PRICE_LEAST = 20, 10, 12, 8

_ORDER, _USER, _AMOUNT, _PRICE, _PLACED, _OF_STREAM = range(6)
_ORDER_LAYOUTS = (
    (_ORDER, _USER, _AMOUNT, _PRICE, _PLACED, _OF_STREAM),
    (_ORDER, _USER, _AMOUNT, _PRICE, _PLACED),
    (_ORDER, _USER, _AMOUNT, _PRICE),
    (_ORDER, _USER, _AMOUNT),
    (_ORDER, _USER),
    (_ORDER,),
)

_CHANGE_COLUMNS = (
    Column("committed at (UTC)", "at (UTC)", _STAMP_WIDTH, _STAMP_WIDTH, _STAMP_WIDTH),
    Column("at (UTC)", "at", 8, 8, 8),
    Column("stream", "stream", 6, 6, 6, right=True),
    Column("change", "change", 7, 7, 7),
    Column("order", "order", _ID_LEAST, 20, 44),
    Column("user", "user", _USER_LEAST, 16, 36),
    Column("amount (currency)", "amount", _AMOUNT_LEAST, 18, 36, right=True),
    Column("price (per unit)", "price", _PRICE_LEAST, 16, 32, right=True),
)
_STAMP, _TIME, _STREAM, _CHANGE = range(4)
_CHANGE_LAYOUTS = (
    (_STAMP, _STREAM, _CHANGE, 4, 5, 6, 7),
    (_TIME, _STREAM, _CHANGE, 4, 5, 6, 7),
    (_TIME, _CHANGE, 4, 5, 6, 7),
    (_TIME, _CHANGE, 4, 5, 6),
    (_CHANGE, 4, 5),
    (_CHANGE, 4),
)
CHANGE_STYLES = {"placed": "green", "paused": "yellow", "resumed": "cyan", "removed": "red"}
_NOT_SEEN = "-"


def order_table(
    orders: Sequence[tuple[int, Order]], paint: Paint, room: int | None = None
) -> list[str]:
    """A table of live orders, heads first, its lines no longer than there is room."""
    rows = [
        (*_order_cells(order), Cell(format_time(order.placed_at_us)), Cell(str(stream)))
        for stream, order in orders
    ]
    columns = (
        _natural("order", rows, _ORDER, least=_ID_LEAST),
        _natural("user", rows, _USER, least=_USER_LEAST),
        _natural("amount (currency)", rows, _AMOUNT, "amount", least=_AMOUNT_LEAST, right=True),
        _natural("price (per unit)", rows, _PRICE, "price", least=_PRICE_LEAST, right=True),
        _natural("placed at (UTC)", rows, _PLACED, least=_SECONDS_WIDTH),
        _natural("stream", rows, _OF_STREAM, least=6, right=True),
    )
    if room is None:
        shape = unfitted(columns, _ORDER_LAYOUTS[0])
    else:
        shape = fitted(columns, _ORDER_LAYOUTS, room)
    return [paint(shape.heads(), "bold"), *(line(shape.cells(row)) for row in rows)]


def _natural(
    head: str,
    rows: Sequence[Sequence[Cell]],
    number: int,
    short_head: str = "",
    *,
    least: int,
    right: bool = False,
) -> Column:
    """A column as wide as its widest cell, and not cut as long as it is no wider than ``least``."""
    widest = max(cell_len(text) + cell_len(tail) for text, tail in (row[number] for row in rows))
    usual = max(cell_len(head), widest)
    least = min(max(cell_len(short_head or head), widest), least)
    return Column(head, short_head or head, least, usual, usual, right)


def order_count(orders: Sequence[tuple[int, Order]]) -> str:
    """How many orders there are, in words."""
    paused = sum(order.status == "paused" for _, order in orders)
    count = counted(len(orders), "live order")
    return f"{count}, {paused:,} paused" if paused else count


def order_line_json(stream: int, order: Order) -> str:
    """An order as its record in ``orders.live``."""
    return safe_json(order_json(order, stream))


def change_shape(room: int | None) -> Shape:
    """The columns of changes in lines no longer than there is room; None is no terminal."""
    if room is None:
        return unfitted(_CHANGE_COLUMNS, _CHANGE_LAYOUTS[0])
    return fitted(_CHANGE_COLUMNS, _CHANGE_LAYOUTS, room)


def change_heads(shape: Shape, paint: Paint) -> str:
    """The heads above the lines of changes."""
    return paint(shape.heads(), "bold")


def listed_line(stream: int, order: Order, shape: Shape) -> str:
    """An order that was live at the beginning, as a line among changes."""
    return line(shape.cells(_cells(stream, "live", order, None)))


def change_line(
    stream: int, change: ViewChange, timestamp_ms: int | None, shape: Shape, paint: Paint
) -> str:
    """A change as a line: when, stream, what, order, user."""
    cells = shape.cells(_cells(stream, change.kind, change.order, timestamp_ms))
    cells[_CHANGE] = paint(cells[_CHANGE], CHANGE_STYLES[change.kind])
    return line(cells)


def _cells(stream: int, kind: str, order: Order, timestamp_ms: int | None) -> list[Cell]:
    at = _NOT_SEEN if timestamp_ms is None else format_time(record_time_us(timestamp_ms))
    order_id, *others = _order_cells(order)
    if kind == "removed":
        order_id = Cell(order_id.text)
    of_day = _NOT_SEEN if timestamp_ms is None else at[11:19]
    return [Cell(at), Cell(of_day), Cell(str(stream)), Cell(kind), order_id, *others]


def _order_cells(order: Order) -> tuple[Cell, Cell, Cell, Cell]:
    status = order.label().removeprefix(order.order_id)
    return (
        Cell(safe(order.order_id), status),
        Cell(safe(order.user_id)),
        Cell(order.amount, f" {order.currency}"),
        Cell(order.price),
    )


def listed_json(stream: int, order: Order) -> str:
    """An order that was live at the beginning, in the shape of a change."""
    return _change_json("live", stream, order.seq, order, order.updated_at_us, None)


def change_json(stream: int, change: ViewChange, timestamp_ms: int | None) -> str:
    """A change as one JSON object; without ``order`` when the order was removed."""
    return _change_json(change.kind, stream, change.seq, change.order, change.at_us, timestamp_ms)


def _change_json(
    kind: str,
    stream: int,
    seq: int | None,
    order: Order,
    at_us: int | None,
    timestamp_ms: int | None,
) -> str:
    content: dict[str, object] = {"change": kind}
    if at_us is not None:
        content["occurred_at"] = format_time(at_us)
    if timestamp_ms is not None:
        content["committed_at"] = format_time(record_time_us(timestamp_ms))
    content["stream"] = stream
    if seq is not None:
        content["seq"] = seq
    content |= {"order_id": order.order_id, "user_id": order.user_id}
    if kind != "removed":
        content["order"] = json.loads(order_json(order, stream))
    return dump_json(content)
