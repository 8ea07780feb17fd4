"""The live board: counts of each stream, how fast it goes, the newest changes."""

import pytest

from processor.cli.render.live_board import LiveBoard, StreamRow
from processor.reader.view_change import ViewChange
from tests.builders import order


def rates(board: LiveBoard) -> list[float]:
    return [row.per_second for row in board.rows()]


def test_it_begins_with_the_orders_that_are_live() -> None:
    board = LiveBoard(2, [(0, order("o1")), (0, order("o2", status="paused")), (1, order("o3"))])
    assert board.rows() == [StreamRow(2, 1, 0, 0, 0.0), StreamRow(1, 0, 0, 0, 0.0)]


def test_changes_are_counted_in_their_stream() -> None:
    board = LiveBoard(2, [])
    board.on_change(1, ViewChange("placed", 1, order("o1")), 0)
    board.on_change(1, ViewChange("paused", 2, order("o1", status="paused")), 0)
    assert [(row.live, row.paused) for row in board.rows()] == [(0, 0), (1, 1)]


def test_a_paused_order_that_goes_is_paused_no_more() -> None:
    board = LiveBoard(1, [(0, order("o1", status="paused"))])
    board.on_change(0, ViewChange("removed", 2, order("o1", status="paused")), 0)
    assert board.rows() == [StreamRow(0, 0, 0, 0, 0.0)]


def test_an_order_that_is_first_seen_as_paused_counts_once() -> None:
    board = LiveBoard(1, [])
    for seq in (2, 4):
        board.on_change(0, ViewChange("paused", seq, order("o1", status="paused")), 0)
    assert (board.total().live, board.total().paused) == (1, 1)


def test_answers_are_counted_and_rejections_apart() -> None:
    board = LiveBoard(2, [])
    for rejected in (False, True, False):
        board.on_answer(1, rejected=rejected)
    assert [(row.events, row.rejected) for row in board.rows()] == [(0, 0), (3, 1)]


def test_the_total_is_that_of_all_streams() -> None:
    board = LiveBoard(2, [(0, order("o1")), (1, order("o2", status="paused"))])
    board.tick(0)
    board.on_answer(0, rejected=False)
    board.on_answer(1, rejected=True)
    board.tick(1)
    assert board.total() == StreamRow(2, 1, 2, 1, 2.0)


def test_the_newest_change_comes_first() -> None:
    board = LiveBoard(1, [])
    for number in range(100):
        board.on_change(0, ViewChange("placed", number, order(f"o{number}")), 0)
    shown = [seen.change.order.order_id for seen in board.newest]
    assert shown[:2] == ["o99", "o98"]
    assert len(shown) == 50


def test_the_speed_is_that_of_the_last_seconds() -> None:
    board = LiveBoard(1, [])
    for second in range(20):
        board.tick(second)
        if second < 10:
            for _ in range(30):
                board.on_answer(0, rejected=False)
        if second == 10:
            assert rates(board) == [pytest.approx(30)]
    assert rates(board) == [0.0]


def test_at_the_first_moment_there_is_no_speed() -> None:
    board = LiveBoard(1, [])
    board.on_answer(0, rejected=False)
    board.tick(0)
    assert rates(board) == [0.0]
