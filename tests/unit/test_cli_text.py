"""Nothing from the wire acts on a terminal."""

import json

import pytest

from processor.cli.render.text import (
    bytes_fields,
    counted,
    dump_json,
    excerpt,
    safe,
    safe_json,
    safe_lines,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("order1", "order1"),
        ("注文-1", "注文-1"),
        ("[bold]x[/bold]", "[bold]x[/bold]"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x9b31m", r"\x9b31m"),
        ("a\rb\nc\td\x00\x7f", r"a\x0db\x0ac\x09d\x00\x7f"),
        ("\u202eevil\u202c", r"\u202eevil\u202c"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("\u2028\u00a0", r"\u2028\xa0"),
        ("\U000e0001", r"\U000e0001"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_is_no_visible_character_is_escaped(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_our_own_messages_keep_their_lines() -> None:
    assert safe_lines("one\ntwo\x1b") == "one\ntwo\\x1b"


@pytest.mark.parametrize(
    "value",
    [
        '{"user_id":"\u202eevil","order_id":"é"}',
        '{"event_id":"\x9b31m\u2028"}',
        '{\n  "event_id": "x"\n}',
    ],
)
def test_a_json_record_is_one_printable_line_of_the_same_meaning(value: str) -> None:
    shown = safe_json(value.encode())
    assert shown.isprintable()
    assert json.loads(shown) == json.loads(value)


def test_a_json_record_that_is_safe_stays_byte_for_byte() -> None:
    assert safe_json('{"a": "é", "n":1}'.encode()) == '{"a": "é", "n":1}'


def test_json_of_ours_is_printable() -> None:
    assert dump_json({"key": "é"}) == '{"key":"é"}'
    assert dump_json({"key": "\u202e"}) == '{"key":"\\u202e"}'


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        (None, {"key": None}),
        (b"bob", {"key": "bob"}),
        (b"\xff\x00", {"key_base64": "/wA="}),
    ],
)
def test_bytes_are_text_or_base64(content: bytes | None, fields: dict[str, str | None]) -> None:
    assert bytes_fields("key", content) == fields


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (None, "(no value)"),
        (b"", ""),
        (b"short", "short"),
        (b"exactly-10", "exactly-10"),
        (b"eleven-char", "eleven-ch…"),
        (b"x" * 1000, "xxxxxxxxx…"),
        (b"\x1b[2J", r"\x1b[2J"),
        (b"a\xffb", r"a\xffb"),
    ],
)
def test_an_excerpt_is_short_and_safe(content: bytes | None, shown: str) -> None:
    assert excerpt(content, 10) == shown


def test_counts_are_words() -> None:
    assert [counted(n, "event") for n in (0, 1, 1000)] == ["0 events", "1 event", "1,000 events"]
