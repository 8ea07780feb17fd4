"""A board as a table that fits the terminal."""

from collections.abc import Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from processor.cli.render.live_board import LiveBoard, SeenChange, StreamRow
from processor.cli.render.order_lines import CHANGE_STYLES
from processor.cli.render.text import safe
from processor.wire.timestamp import format_time, record_time_us

_MAX_CHANGES: Final = 12
# Lines that are neither a stream's nor a change's: heads, the total, blank lines, the last one.
_OTHER_LINES: Final = 6

_COUNTS: Final = ("stream", "live", "paused", "events", "rejected", "events/s")
_NARROW_COUNTS: Final = ("stream", "live", "paused", "events/s")
_NARROW_COUNTS_BELOW: Final = 50

# What of a change there is room for, from this width on.
_CHANGES: Final = (
    (90, ("at (UTC)", "stream", "change", "order", "user", "amount", "price")),
    (66, ("at (UTC)", "change", "order", "user", "amount")),
    (44, ("change", "order", "user")),
    (0, ("change", "order")),
)
_AT_RIGHT: Final = frozenset((*_COUNTS, "amount", "price"))


def live_table(board: LiveBoard, width: int, height: int) -> RenderableType:
    """The board for a terminal of this size: the streams, and as many changes as fit."""
    streams = board.rows()
    room = height - _OTHER_LINES - len(streams)
    return Group(
        _streams(streams, board.total(), width),
        "",
        _changes(list(board.newest)[: max(1, min(room, _MAX_CHANGES))], width),
    )


def _streams(rows: list[StreamRow], total: StreamRow, width: int) -> Table:
    heads = _NARROW_COUNTS if width < _NARROW_COUNTS_BELOW else _COUNTS
    table = _table(heads)
    for stream, row in enumerate(rows):
        table.add_row(*_row_cells(str(stream), row, heads))
    table.add_row(*_row_cells("all", total, heads), style="bold")
    return table


def _row_cells(name: str, row: StreamRow, heads: tuple[str, ...]) -> list[str]:
    cells = {
        "stream": name,
        "live": f"{row.live:,}",
        "paused": f"{row.paused:,}",
        "events": f"{row.events:,}",
        "rejected": f"{row.rejected:,}",
        "events/s": f"{row.per_second:,.0f}",
    }
    return [cells[head] for head in heads]


def _changes(newest: list[SeenChange], width: int) -> Table:
    heads = next(heads for least, heads in _CHANGES if width >= least)
    table = _table(heads)
    for seen in newest:
        cells = dict(_change_cells(seen))
        table.add_row(*(cells[head] for head in heads))
    return table


def _change_cells(seen: SeenChange) -> Iterator[tuple[str, Text]]:
    kind, order = seen.change.kind, seen.change.order
    label = order.order_id if kind == "removed" else order.label()
    yield "at (UTC)", Text(_time_of_day(seen.timestamp_ms))
    yield "stream", Text(str(seen.stream))
    yield "change", Text(kind, CHANGE_STYLES[kind])
    yield "order", Text(safe(label))
    yield "user", Text(safe(order.user_id))
    yield "amount", Text(f"{order.amount} {order.currency}")
    yield "price", Text(order.price)


def _time_of_day(timestamp_ms: int | None) -> str:
    return "-" if timestamp_ms is None else format_time(record_time_us(timestamp_ms))[11:19]


def _table(heads: tuple[str, ...]) -> Table:
    """Plain columns; what is too long for its cell ends in an ellipsis."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for head in heads:
        table.add_column(
            head,
            justify="right" if head in _AT_RIGHT else "left",
            no_wrap=True,
            overflow="ellipsis",
        )
    return table
