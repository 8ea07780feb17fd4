"""What lists, changes, answers and dead letters look like."""

import json

import pytest

from processor.cli.answer_lines import answer_line
from processor.cli.columns import columns, row_line
from processor.cli.dead_letter_lines import dead_letter_json, dead_letter_line
from processor.cli.order_lines import (
    change_json,
    change_line,
    listed_json,
    listed_line,
    order_count,
    order_line_json,
    order_table,
)
from processor.cli.output import plain
from processor.core.view_change import ViewChange
from schemas.answer import parse_answer
from schemas.dead_letter import dead_letter
from schemas.event import Refusal
from tests.builders import order, record
from tests.fakes.log import StoredRecord

MS = 1_767_225_600_000
EVIL = "\x1b[31m\u202e[red]"


def tagged(text: str, style: str) -> str:
    """A `Paint` that shows what it was asked for."""
    return f"<{style}>{text}</>"


def test_columns_are_as_wide_as_their_widest_cell_also_for_wide_characters() -> None:
    lines = columns(("id", "number"), [("注文", "7"), ("o1", "1000")], right=(1,))
    assert lines == ["id    number", "注文       7", "o1      1000"]


def test_a_cell_that_is_too_wide_pushes_the_rest_on() -> None:
    assert row_line(("abcdef", "x"), (3, 1)) == "abcdef  x"


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
    assert change_line(3, change, MS, plain).split() == [
        *("2026-01-01T00:00:00.000Z", "3", "paused", "o1(paused)", "alice", "1.50", "BTC", "2"),
    ]


def test_an_order_that_is_removed_is_named_without_its_status() -> None:
    change = ViewChange("removed", 8, order("o1", status="paused"))
    assert "o1 " in change_line(3, change, MS, plain)


def test_lines_of_changes_and_of_the_first_list_are_in_the_same_columns() -> None:
    change = change_line(3, ViewChange("removed", 8, order("o1")), MS, plain)
    listed = listed_line(3, order("o1"))
    assert [change.index("o1"), change.index("alice")] == [
        listed.index("o1"),
        listed.index("alice"),
    ]


def test_only_the_word_of_a_change_is_coloured() -> None:
    line = change_line(3, ViewChange("placed", 8, order("o1")), MS, tagged)
    assert "<green>placed </>" in line
    assert line.count("<") == 2


@pytest.mark.parametrize("kind", ["placed", "removed"])
def test_ids_in_lines_of_changes_cannot_act(kind: str) -> None:
    evil = order(EVIL, user_id=EVIL)
    change = ViewChange("placed" if kind == "placed" else "removed", 1, evil)
    shown = [change_line(0, change, MS, plain), change_json(0, change, MS)]
    shown += [listed_line(0, evil), listed_json(0, evil), *order_table([(0, evil)], plain)]
    assert all(line.isprintable() for line in shown)


def test_a_change_in_json_has_the_whole_order() -> None:
    one = order("o1", placed_seq=7)
    assert json.loads(change_json(3, ViewChange("placed", 7, one), MS)) == {
        "change": "placed",
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


def test_an_order_of_the_first_list_in_json_is_a_change_of_its_own_kind() -> None:
    listed = json.loads(listed_json(3, order("o1")))
    assert (listed["change"], listed["order"]) == ("live", record(order("o1"), 3))


def test_an_order_in_json_is_its_record() -> None:
    assert json.loads(order_line_json(3, order("o1"))) == record(order("o1"), 3)


def answer(**fields: object) -> str:
    value = json.dumps({"schema": 1, "input": {"partition": 5, "offset": 3}, **fields})
    return answer_line(parse_answer(value.encode()), plain)


def test_an_answer_says_where_what_whose_and_what_became_of_it() -> None:
    known = {"type": "pause", "order_id": "o2", "user_id": "alice", "result": "rejected"}
    assert answer(**known, reason="already_paused") == (
        "5/3 pause o2 of alice: rejected: already_paused"
    )


def test_an_answer_to_a_cancel_of_all_has_its_count() -> None:
    known = {"type": "cancel_all_by_user", "user_id": "alice", "result": "applied"}
    assert answer(**known, count=2) == "5/3 cancel_all_by_user of alice: applied, 2 removed"


def test_ids_in_answers_cannot_act() -> None:
    assert answer(type="pause", order_id=EVIL, user_id=EVIL, result="applied").isprintable()


def letter(value: bytes | None, detail: str = "amount: must be greater than 0") -> StoredRecord:
    written = dead_letter(
        Refusal("invalid", detail),
        key=b"bob",
        value=value,
        headers=[("trace", b"abc")],
        topic="orders.events",
        partition=6,
        offset=2,
        max_bytes=10_000,
    )
    return StoredRecord(9, MS, written.key, written.value, tuple(written.headers))


def test_a_dead_letter_is_a_line_with_its_place_the_events_place_and_why() -> None:
    line = dead_letter_line(6, letter(b"{}"))
    assert line.split("  ")[0] == "6/9"
    assert "2026-01-01T00:00:00.000Z  6/2 " in line
    assert "invalid: amount: must be greater than 0" in line


def test_a_dead_letter_in_json_has_everything() -> None:
    assert json.loads(dead_letter_json(6, letter(b"\xff"))) == {
        "letter": {"partition": 6, "offset": 9},
        "written_at": "2026-01-01T00:00:00.000Z",
        "source": {"topic": "orders.events", "partition": 6, "offset": 2},
        "reason": "invalid",
        "detail": "amount: must be greater than 0",
        "key": "bob",
        "value_base64": "/w==",
        "headers": [{"name": "trace", "value": "abc"}],
    }


def test_nothing_in_a_dead_letter_can_act() -> None:
    evil = letter(EVIL.encode() + b"\n", detail=f"{EVIL}: unknown field")
    assert dead_letter_line(6, evil).isprintable()
    assert dead_letter_json(6, evil).isprintable()


def test_a_letter_that_somebody_else_wrote_is_shown_as_such() -> None:
    strange = StoredRecord(9, MS, None, b"x", (("trace", b"abc"),))
    assert "not the processor's" in dead_letter_line(6, strange)
    assert "reason" not in json.loads(dead_letter_json(6, strange))
