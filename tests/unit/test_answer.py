"""Answers as JSON."""

import json
import sys

import pytest

from processor.core.orders.records import answer_records
from processor.wire.answer import ANSWER, Answer, parse_answer
from tests.builders import Decided, write_answer

MALFORMED = write_answer(3, Decided(7, None, None, None, None, None, "malformed", None))


def test_absent_fields_are_left_out() -> None:
    assert json.loads(MALFORMED) == {
        "schema": 1,
        "input": {"partition": 3, "offset": 7},
        "result": "rejected",
        "reason": "malformed",
    }


def test_without_a_reason_it_is_applied() -> None:
    answer = write_answer(0, Decided(2**62, "cancel_all_by_user", None, "é", "a\nb", 0, None, 0))
    assert parse_answer(answer) == {
        "schema": 1,
        "input": {"partition": 0, "offset": 2**62},
        "type": "cancel_all_by_user",
        "user_id": "é",
        "event_id": "a\nb",
        "occurred_at": "1970-01-01T00:00:00.000Z",
        "result": "applied",
        "count": 0,
    }


@pytest.mark.parametrize(
    "value",
    [
        MALFORMED,
        write_answer(0, Decided(0, "place", '注"\\😀', "é\x7f", "", 1, "duplicate_order", None)),
        write_answer(9, Decided(5, "place", '注"\\😀', "é\x7f", None, 1_000, None, None)),
        write_answer(0, Decided(0, "cancel_all_by_user", None, "u", None, None, None, 7)),
    ],
)
def test_an_answer_is_written_as_pydantic_would_write_it(value: bytes) -> None:
    assert value == ANSWER.dump_json(parse_answer(value))


def test_every_character_survives() -> None:
    every = "".join(map(chr, [*range(0xD800), *range(0xE000, sys.maxunicode + 1)]))
    value = write_answer(0, Decided(0, "pause", "o", "u", every, None, None, None))
    answer: Answer = parse_answer(value)
    assert answer["event_id"] == every
    assert value == ANSWER.dump_json(answer)


def test_a_field_of_a_later_minor_version_is_ignored() -> None:
    assert parse_answer(MALFORMED.replace(b"{", b'{"later":true,', 1)) == parse_answer(MALFORMED)


def test_a_forwarded_event_has_no_reason() -> None:
    (record,) = answer_records([(3, (7, "cancel", "o1", None, None, 0, "forwarded", None))])
    assert parse_answer(record[1] or b"") == {
        "schema": 1,
        "input": {"partition": 3, "offset": 7},
        "type": "cancel",
        "order_id": "o1",
        "occurred_at": "1970-01-01T00:00:00.000Z",
        "result": "forwarded",
    }


def test_a_correction_says_that_the_place_was_revoked() -> None:
    (record,) = answer_records([(4, 6, "o1", "alice", 7000)])
    assert record[0] == b"alice"
    assert parse_answer(record[1] or b"") == {
        "schema": 1,
        "input": {"partition": 4, "offset": 6},
        "type": "place",
        "order_id": "o1",
        "user_id": "alice",
        "occurred_at": "1970-01-01T00:00:00.007Z",
        "result": "rejected",
        "reason": "duplicate_order",
        "revoked": True,
    }


def test_an_event_that_was_read_elsewhere_is_answered_with_its_own_position() -> None:
    (record,) = answer_records([(4, (6, "pause", "o1", "u", None, 0, None, None))])
    assert parse_answer(record[1] or b"")["input"] == {"partition": 4, "offset": 6}
