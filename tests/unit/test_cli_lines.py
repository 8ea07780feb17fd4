"""What lists, changes, answers and dead letters look like."""

import json

import pytest

from processor.cli.render.answer_lines import answer_line
from processor.cli.render.columns import columns
from processor.cli.render.fitting import Cell, Column, line, unfitted
from processor.cli.render.order_lines import (
    change_json,
    change_line,
    change_shape,
    listed_json,
    listed_line,
    order_count,
    order_line_json,
    order_table,
)
from processor.cli.terminal.output import plain
from processor.reader.view_change import ViewChange
from processor.topics import Topics
from processor.wire.answer import parse_answer
from processor.wire.claim import UNKNOWN_OFFSET
from tests.builders import order, record

MS = 1_767_225_600_000
WIDE = change_shape(None)
EVIL = "\x1b[31m\u202e[red]"


def tagged(text: str, style: str) -> str:
    """A `Paint` that shows what it was asked for."""
    return f"<{style}>{text}</>"


def test_columns_are_as_wide_as_their_widest_cell_also_for_wide_characters() -> None:
    lines = columns(("id", "number"), [("注文", "7"), ("o1", "1000")], right=(1,))
    assert lines == ["id    number", "注文       7", "o1      1000"]


def test_a_cell_that_is_too_wide_pushes_the_rest_on() -> None:
    shape = unfitted([Column("a", "a", 3, 3, 3), Column("b", "b", 1, 1, 1)], (0, 1))
    assert line(shape.cells([Cell("abcdef"), Cell("x")])) == "abcdef  x"


def test_a_list_is_a_table_with_units_in_its_heads() -> None:
    table = order_table([(3, order("o1", status="paused", placed_at_us=MS * 1000))], plain)
    assert table == [
        "order       user   amount (currency)  price (per unit)  placed at (UTC)           stream",
        "o1(paused)  alice           1.50 BTC                 2  2026-01-01T00:00:00.000Z       3",
    ]


def test_a_list_is_counted() -> None:
    assert order_count([(0, order())]) == "1 live order"
    assert order_count([(0, order()), (1, order(status="paused"))]) == "2 live orders, 1 paused"


def test_a_change_is_a_line_with_when_where_what_and_whose() -> None:
    change = ViewChange("paused", 7, order("o1", status="paused"))
    assert change_line(3, change, MS, WIDE, plain).split() == [
        *("2026-01-01T00:00:00.000Z", "3", "paused", "o1(paused)", "alice", "1.50", "BTC", "2"),
    ]


def test_an_order_that_is_removed_is_named_without_its_status() -> None:
    change = ViewChange("removed", 8, order("o1", status="paused"))
    assert "o1 " in change_line(3, change, MS, WIDE, plain)


def test_lines_of_changes_and_of_the_first_list_are_in_the_same_columns() -> None:
    change = change_line(3, ViewChange("removed", 8, order("o1")), MS, WIDE, plain)
    listed = listed_line(3, order("o1"), WIDE)
    assert [change.index("o1"), change.index("alice")] == [
        listed.index("o1"),
        listed.index("alice"),
    ]


def test_only_the_word_of_a_change_is_coloured() -> None:
    line = change_line(3, ViewChange("placed", 8, order("o1")), MS, WIDE, tagged)
    assert "<green>placed </>" in line
    assert line.count("<") == 2


@pytest.mark.parametrize("kind", ["placed", "removed"])
def test_ids_in_lines_of_changes_cannot_act(kind: str) -> None:
    evil = order(EVIL, user_id=EVIL)
    change = ViewChange("placed" if kind == "placed" else "removed", 1, evil)
    shown = [change_line(0, change, MS, WIDE, plain), change_json(0, change, MS)]
    shown += [listed_line(0, evil, WIDE), listed_json(0, evil), *order_table([(0, evil)], plain)]
    assert all(line.isprintable() for line in shown)


def test_a_change_in_json_has_the_whole_order() -> None:
    one = order("o1", placed_seq=7)
    assert json.loads(change_json(3, ViewChange("placed", 7, one), MS)) == {
        "change": "placed",
        "occurred_at": "1970-01-01T00:00:00.000Z",
        "committed_at": "2026-01-01T00:00:00.000Z",
        "stream": 3,
        "seq": 7,
        "order_id": "o1",
        "user_id": "alice",
        "order": record(one, 3),
    }


def test_a_removal_in_json_has_no_order_and_no_seq_that_nobody_saw() -> None:
    assert json.loads(change_json(3, ViewChange("removed", None, order("o1")), None)) == {
        "change": "removed",
        "stream": 3,
        "order_id": "o1",
        "user_id": "alice",
    }


def test_a_removal_in_json_has_the_event_time_of_what_removed_it() -> None:
    removed = ViewChange("removed", 8, order("o1", placed_at_us=1000), 2000)
    assert json.loads(change_json(3, removed, MS)) == {
        "change": "removed",
        "occurred_at": "1970-01-01T00:00:00.002Z",
        "committed_at": "2026-01-01T00:00:00.000Z",
        "stream": 3,
        "seq": 8,
        "order_id": "o1",
        "user_id": "alice",
    }


def test_an_order_of_the_first_list_in_json_is_a_change_of_its_own_kind() -> None:
    listed = json.loads(listed_json(3, order("o1")))
    assert (listed["change"], listed["order"]) == ("live", record(order("o1"), 3))


def test_an_order_in_json_is_its_record() -> None:
    assert json.loads(order_line_json(3, order("o1"))) == record(order("o1"), 3)


def answer(**fields: object) -> str:
    value = json.dumps({"schema": 1, "input": {"partition": 5, "offset": 3}} | fields)
    return answer_line(parse_answer(value.encode()), plain)


def test_an_answer_says_where_what_whose_and_what_became_of_it() -> None:
    known = {"type": "pause", "order_id": "o2", "user_id": "alice", "result": "rejected"}
    assert answer(**known, reason="already_paused") == (
        "5/3 pause o2 of alice: rejected: already_paused"
    )


def test_an_answer_to_a_cancel_of_all_has_its_count() -> None:
    known = {"type": "cancel_all_by_user", "user_id": "alice", "result": "applied"}
    assert answer(**known, count=2) == "5/3 cancel_all_by_user of alice: applied, 2 removed"


def test_a_correction_says_that_the_place_is_revoked() -> None:
    known = {"type": "place", "order_id": "o1", "user_id": "carol", "result": "rejected"}
    assert answer(**known, reason="duplicate_order", revoked=True) == (
        "5/3 place o1 of carol: revoked: duplicate_order"
    )


def test_a_place_of_before_the_directory_stands_nobody_knows_where() -> None:
    position = {"partition": 5, "offset": UNKNOWN_OFFSET}
    known = {"type": "place", "order_id": "o1", "user_id": "carol", "result": "rejected"}
    assert answer(**known, reason="duplicate_order", revoked=True, input=position) == (
        "5/? place o1 of carol: revoked: duplicate_order"
    )


def test_ids_in_answers_cannot_act() -> None:
    assert answer(type="pause", order_id=EVIL, user_id=EVIL, result="applied").isprintable()


def test_a_command_that_is_named_means_the_same_topics() -> None:
    refused = parse_answer(
        b'{"schema":1,"input":{"partition":5,"offset":3},"result":"rejected","reason":"invalid"}'
    )
    assert answer_line(refused, plain, Topics("late.").option).endswith(
        "see: live-orders dead-letters list --topic-prefix late. --where source=5/3"
    )
    assert answer_line(refused, plain, Topics().option) == answer_line(refused, plain)


@pytest.mark.parametrize("reason", ["malformed", "invalid", "too_large"])
def test_an_answer_to_what_was_no_event_says_where_its_letter_is(reason: str) -> None:
    assert answer(result="rejected", reason=reason) == (
        f"5/3 ?: rejected: {reason}; see: live-orders dead-letters list --where source=5/3"
    )
