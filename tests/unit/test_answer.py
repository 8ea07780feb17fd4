"""Answers as JSON."""

import json
import sys

import pytest

from schemas.answer import ANSWER, Answer, parse_answer
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
