"""The live table: what is in it, and that it fits the terminal."""

import io

import pytest
from rich.console import Console

from processor.cli.render.live_board import LiveBoard
from processor.cli.render.live_table import live_table
from processor.reader.view_change import ViewChange
from tests.builders import order

MS = 1_767_225_600_000


def drawn(board: LiveBoard, width: int = 100, height: int = 30, *, colours: bool = False) -> str:
    console = Console(
        file=io.StringIO(), width=width, height=height, force_terminal=colours, no_color=not colours
    )
    console.print(live_table(board, width, height))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def busy(streams: int = 4, changes: int = 30) -> LiveBoard:
    board = LiveBoard(streams, [])
    for number in range(changes):
        change = ViewChange("placed", number, order(f"order-{number}", user_id="user-0001"))
        board.on_change(number % streams, change, MS)
        board.on_answer(number % streams, rejected=False)
    return board


def test_there_is_a_line_for_each_stream_and_one_for_all() -> None:
    lines = drawn(busy(2)).splitlines()
    assert lines[0].split() == ["stream", "live", "paused", "events", "rejected", "events/s"]
    assert lines[1].split() == ["0", "15", "0", "15", "0", "0"]
    assert lines[3].split() == ["all", "30", "0", "30", "0", "0"]


def test_a_change_tells_when_where_what_and_whose() -> None:
    board = LiveBoard(3, [])
    board.on_change(2, ViewChange("paused", 2, order("o1", status="paused")), MS)
    assert drawn(board).splitlines()[-1].split() == [
        *("00:00:00", "2", "paused", "o1(paused)", "alice", "1.50", "BTC", "2")
    ]


def test_an_order_that_was_removed_is_paused_no_more() -> None:
    board = LiveBoard(1, [])
    board.on_change(0, ViewChange("removed", 2, order("o1", status="paused")), MS)
    assert "o1 " in drawn(board)
    assert "(paused)" not in drawn(board)


def test_a_change_whose_record_was_not_seen_has_no_time() -> None:
    board = LiveBoard(1, [])
    board.on_change(0, ViewChange("placed", 1, order("o1")), None)
    assert drawn(board).splitlines()[-1].startswith("-")


@pytest.mark.parametrize("width", [20, 30, 43, 44, 50, 65, 66, 80, 89, 90, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    lines = drawn(busy(), width).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) == len(drawn(busy(), 200).splitlines())


@pytest.mark.parametrize("height", [12, 15, 20, 24, 50])
def test_there_are_no_more_lines_than_the_terminal_has(height: int) -> None:
    assert len(drawn(busy(), height=height).splitlines()) < height


def test_what_an_id_has_in_it_cannot_act_on_the_terminal() -> None:
    board = LiveBoard(1, [])
    board.on_change(0, ViewChange("placed", 1, order("\x1b[2J[red]x")), MS)
    assert "\\x1b[2J[red]x" in drawn(board)


def test_kinds_of_changes_have_colours() -> None:
    board = LiveBoard(1, [])
    board.on_change(0, ViewChange("paused", 1, order("o1", status="paused")), MS)
    assert "\x1b[33mpaused" in drawn(board, colours=True)
    assert "\x1b[33m" not in drawn(board)
