"""Lists and changes on a terminal: no line wraps, and the least important goes first."""

import pytest
from rich.cells import cell_len

from processor.cli.render.fitting import Cell, Column, cut, fitted
from processor.cli.render.order_lines import change_heads, change_line, change_shape, order_table
from processor.cli.terminal.output import plain
from processor.core.orders.order import Order
from processor.reader.view_change import ViewChange
from tests.builders import order

MS = 1_767_225_600_000
LONG = order(
    "7d3c9a52-0f9e-4a57-9f0a-0c1df0d2a111",
    user_id="a-user-with-a-rather-long-name",
    status="paused",
    amount="123456789.123456789",
)._replace(price="98765432.123456789")


def lines(width: int | None, one: Order) -> list[str]:
    """The list and the change of an order, with their heads."""
    shape = change_shape(width)
    change = change_line(3, ViewChange("paused", 7, one), MS, shape, plain)
    return [*order_table([(3, one)], plain, width), change_heads(shape, plain), change]


@pytest.mark.parametrize(
    ("cell", "width", "shown"),
    [
        (Cell("order1"), 6, "order1"),
        (Cell("order17"), 6, "order…"),
        (Cell("order17", "(paused)"), 15, "order17(paused)"),
        (Cell("order17", "(paused)"), 14, "order…(paused)"),
        (Cell("1234.5", " BTC"), 9, "1234… BTC"),
        (Cell("注文17"), 4, "注 …"),
        (Cell("order17", "(paused)"), 4, "ord…"),
        (Cell("order"), 0, ""),
    ],
)
def test_what_is_too_long_ends_in_an_ellipsis_before_its_tail(
    cell: Cell, width: int, shown: str
) -> None:
    assert cut(cell, width) == shown


def test_columns_go_when_their_least_widths_do_not_fit_any_more() -> None:
    columns = (Column("a", "a", 4, 6, 8), Column("b", "b", 3, 3, 3))
    layouts = ((0, 1), (0,))
    assert fitted(columns, layouts, 9).widths == {0: 4, 1: 3}
    assert fitted(columns, layouts, 8).widths == {0: 8}
    assert fitted(columns, layouts, 2).widths == {0: 4}


def test_what_is_left_goes_to_the_usual_widths_first_and_then_to_the_most() -> None:
    columns = (Column("a", "a", 1, 3, 9), Column("b", "b", 1, 3, 9))
    assert fitted(columns, ((0, 1),), 6).widths == {0: 3, 1: 1}
    assert fitted(columns, ((0, 1),), 10).widths == {0: 5, 1: 3}
    assert fitted(columns, ((0, 1),), 99).widths == {0: 9, 1: 9}


@pytest.mark.parametrize("width", range(30, 200))
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    for one in (LONG, order("o1")):
        assert max(map(cell_len, lines(width, one))) <= width


@pytest.mark.parametrize("width", [80, 100, 120])
def test_on_usual_terminals_usual_orders_are_whole(width: int) -> None:
    usual = order("260676-84", user_id="user-0034", status="paused", amount="0.0164")
    for shown in lines(width, usual)[1::2]:
        assert "260676-84(paused)" in shown
        assert "user-0034" in shown
        assert "0.0164 BTC" in shown
        assert shown.count("…") == shown.count(":00…")


def test_a_wide_terminal_has_the_long_heads_and_the_whole_time() -> None:
    list_heads, _, heads, change = lines(120, order("o1"))
    assert heads.split() == [
        *("committed", "at", "(UTC)", "stream", "change", "order", "user"),
        *("amount", "(currency)", "price", "(per", "unit)"),
    ]
    assert change.startswith("2026-01-01T00:00:00.000Z")
    assert "amount (currency)" in list_heads


def test_a_narrow_one_has_the_time_of_day() -> None:
    *_, heads, change = lines(80, order("o1"))
    assert heads.split() == ["at", "(UTC)", "change", "order", "user", "amount", "price"]
    assert change.startswith("00:00:00 ")


def test_without_a_terminal_nothing_is_cut() -> None:
    _, listed, _, change = lines(None, LONG)
    for shown in (listed, change):
        assert LONG.label() in shown
        assert LONG.user_id in shown
        assert f"{LONG.amount} {LONG.currency}" in shown
        assert LONG.price in shown
