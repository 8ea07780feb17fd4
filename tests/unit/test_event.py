"""What is an order event, and why something is none."""

import json
from typing import Any

import pytest

from processor.wire.event import (
    EVENT_TYPES,
    Cancel,
    CancelAllByUser,
    Event,
    Pause,
    Place,
    Refusal,
    Resume,
    parse_event,
    too_large,
)
from tests.builders import encode, event, place_fields


def refuse(value: bytes | None) -> Refusal:
    parsed = parse_event(value)
    assert isinstance(parsed, Refusal)
    return parsed


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            place_fields("o1", "alice"),
            Place(
                type="place", order_id="o1", user_id="alice", currency="BTC", amount="1.50",
                price="2",
            ),
        ),
        ({"type": "pause", "order_id": "o1"}, Pause(type="pause", order_id="o1")),
        (
            {"type": "resume", "order_id": "o1", "user_id": "bob"},
            Resume(type="resume", order_id="o1", user_id="bob"),
        ),
        ({"type": "cancel", "order_id": "o1"}, Cancel(type="cancel", order_id="o1")),
        (
            {"type": "cancel_all_by_user", "user_id": "bob"},
            CancelAllByUser(type="cancel_all_by_user", user_id="bob"),
        ),
    ],
    ids=EVENT_TYPES,
)  # fmt: skip
def test_every_type_of_event_is_read(fields: dict[str, Any], expected: Event) -> None:
    assert parse_event(encode(**fields)) == expected


def test_the_optional_fields_are_read() -> None:
    read = event(
        type="pause",
        order_id="o1",
        event_id="any text\nat all",
        occurred_at="1970-01-01T00:00:01Z",
        schema=1,
    )
    told = (read["event_id"], read["occurred_at"], read["schema"])
    assert told == ("any text\nat all", 1_000_000, 1)


@pytest.mark.parametrize("name", ["user_id", "event_id", "occurred_at"])
def test_an_optional_field_may_be_null(name: str) -> None:
    assert event(type="pause", order_id="o1", **{name: None}).get(name) is None


@pytest.mark.parametrize("order_id", ["o", "é", "注文1", "😀", "a" * 64, '"\\/', "😀" * 64])
def test_an_id_of_1_to_64_printable_characters_is_taken(order_id: str) -> None:
    read = event(type="pause", order_id=order_id)
    assert read["type"] == "pause"
    assert read["order_id"] == order_id


PRINTABLE = "must be printable characters without spaces or control characters"


@pytest.mark.parametrize(
    ("order_id", "problem"),
    [
        ("", "must have at least 1 character"),
        ("a" * 65, "must have at most 64 characters"),
        ("a b", PRINTABLE),
        (" ", PRINTABLE),
        ("a\n", PRINTABLE),
        ("a\x00", PRINTABLE),
        ("a\x1fb", PRINTABLE),
        ("a\x7f", PRINTABLE),
        ("a\u00a0b", PRINTABLE),  # no-break space
        ("a\u200b", PRINTABLE),  # zero-width space
        ("a\u2028", PRINTABLE),  # line separator
        (1, "must be a string"),
        (True, "must be a string"),
        (None, "must be a string"),
        (["a"], "must be a string"),
        ({"a": 1}, "must be a string"),
    ],
)
@pytest.mark.parametrize("name", ["order_id", "user_id"])
def test_what_is_no_id_is_invalid(name: str, order_id: object, problem: str) -> None:
    refusal = refuse(encode(**place_fields() | {name: order_id}))
    assert (refusal.reason, refusal.detail) == ("invalid", f"{name}: {problem}")


@pytest.mark.parametrize("currency", ["B", "BTC-USD", "a.b_C-9", "x" * 32])
def test_a_currency_code_is_taken(currency: str) -> None:
    read = event(**place_fields(currency=currency))
    assert read["type"] == "place"
    assert read["currency"] == currency


@pytest.mark.parametrize("currency", ["", "BTC\n", "BT C", "x" * 33, "É", "B/C"])
def test_what_is_no_currency_code_is_invalid(currency: str) -> None:
    assert refuse(encode(**place_fields(currency=currency))).detail == (
        "currency: must be 1 to 32 of the characters A-Z a-z 0-9 . _ -"
    )


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b" ",
        b"place",
        b"{",
        b'{"type":"pause","order_id":"o1"',
        b'{"type":"pause","order_id":"o1"} {}',
        b'{"type":"pause","order_id":"o1",}',
        b"{'type':'pause','order_id':'o1'}",
        b'{"type":"pause","order_id":"a\nb"}',
        b"\xff",
        b'{"type":"pause","order_id":"\xff"}',
        b'{"type":"pause","order_id":"\xed\xa0\x80"}',  # a surrogate in UTF-8
        b'\xef\xbb\xbf{"type":"pause","order_id":"o1"}',
        '{"type":"pause","order_id":"o1"}'.encode("utf-16"),
        '{"type":"pause","order_id":"o1"}'.encode("utf-32-le"),
        b'{"type":"pause","order_id":"\\ud800"}',
        b'{"type":"pause","order_id":"o1","event_id":"\\udc00"}',
        b'{"\\ud800":1}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"type":"pause","order_id":"o1","x":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"type":"place","amount":01}',
    ],
)
def test_what_cannot_be_read_as_json_is_malformed(value: bytes) -> None:
    refusal = refuse(value)
    assert refusal.reason == "malformed"
    assert refusal.detail.startswith("Invalid JSON: ")
    assert len(refusal.detail.splitlines()) == 1


def test_a_null_value_is_malformed() -> None:
    assert refuse(None) == Refusal("malformed", "the value is null")


@pytest.mark.parametrize("value", [b"null", b"[]", b"1", b'"place"', b"true", b"1e400", b"NaN"])
def test_json_that_is_no_object_is_invalid(value: bytes) -> None:
    assert refuse(value) == Refusal("invalid", "must be a JSON object")


KNOWN_TYPES = "type: must be one of place, pause, resume, cancel, cancel_all_by_user"
KNOWN_SCHEMA = "schema: must be 1, the only schema version known here"


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (b"{}", "type: is missing"),
        (b'{"order_id":"o1"}', "type: is missing"),
        (b'{"type":"buy"}', KNOWN_TYPES),
        (b'{"type":"Place"}', KNOWN_TYPES),
        (b'{"type":1}', KNOWN_TYPES),
        (b'{"type":null}', KNOWN_TYPES),
        (b'{"type":["place"]}', KNOWN_TYPES),
        (b'{"type":"pause"}', "order_id: is missing"),
        (b'{"type":"cancel_all_by_user"}', "user_id: is missing"),
        (b'{"type":"place"}', "order_id: is missing; user_id: is missing; currency: is missing"),
        (b'{"type":"pause","order_id":"o1","amont":1}', "amont: unknown field"),
        (b'{"type":"pause","order_id":"o1","":1}', ": unknown field"),
        (b'{"type":"pause","order_id":"o1","a\\nb":1}', "a b: unknown field"),
        (b'{"type":"pause","order_id":"o1","schema_":1}', "schema_: unknown field"),
        (b'{"type":"cancel_all_by_user","user_id":"u","order_id":"o1"}', "order_id: unknown field"),
        (
            b'{"type":"pause","order_id":"o1","event_id":""}',
            "event_id: must have at least 1 character",
        ),
        (b'{"type":"pause","order_id":"o1","event_id":7}', "event_id: must be a string"),
        (
            b'{"type":"pause","order_id":"o1","occurred_at":1}',
            "occurred_at: must be a string with an RFC 3339 time",
        ),
        (
            b'{"type":"pause","order_id":"o1","occurred_at":"2026-01-31T12:00:00"}',
            "occurred_at: must be an RFC 3339 time with a zone, such as 2026-01-31T12:00:00Z",
        ),
        *(
            (b'{"type":"pause","order_id":"o1","schema":%b}' % version, KNOWN_SCHEMA)
            for version in (b"2", b"0", b"-1", b"true", b"1.0", b"1e0", b'"1"', b"null", b"9" * 30)
        ),
    ],
)  # fmt: skip
def test_json_that_breaks_the_schema_is_invalid_and_the_detail_names_the_field(
    value: bytes, detail: str
) -> None:
    refusal = refuse(value)
    assert (refusal.reason, refusal.detail) == ("invalid", detail)


def test_an_event_id_of_65_characters_is_invalid() -> None:
    refusal = refuse(encode(type="pause", order_id="o1", event_id="x" * 65))
    assert refusal.detail == "event_id: must have at most 64 characters"


def test_a_long_detail_is_cut() -> None:
    refusal = refuse(encode(type="pause", order_id="o1", **{"x" * 10_000: 1}))
    assert len(refusal.detail) <= 400


@pytest.mark.parametrize("written", ["9" * 10_000, f'"{"9" * 10_000}"', "1e400", "1e999999999999"])
def test_a_number_without_end_is_invalid(written: str) -> None:
    text = json.dumps(place_fields(amount=0)).replace('"amount": 0', f'"amount": {written}')
    refusal = refuse(text.encode())
    assert refusal.reason == "invalid"
    assert refusal.detail.startswith("amount: must ")


def test_of_thousands_of_fields_only_the_number_is_told() -> None:
    many = {f"field{number}": 1 for number in range(4_000)}
    refusal = refuse(encode(type="pause", order_id="o1", **many))
    assert (refusal.reason, refusal.detail) == ("invalid", "has 4002 fields, more than any event")
    assert (refusal.type, refusal.order_id) == ("pause", "o1")


def test_a_size_refusal_says_both_sizes() -> None:
    assert too_large(70_000, 65_536) == Refusal(
        "too_large", "70000 bytes, more than the 65536 allowed"
    )


@pytest.mark.parametrize(
    ("changed", "read"),
    [
        ({"amount": "x"}, ("place", "o1", "alice", "e1")),
        ({"type": "buy"}, (None, "o1", "alice", "e1")),
        ({"type": 3}, (None, "o1", "alice", "e1")),
        ({"order_id": "a b"}, ("place", None, "alice", "e1")),
        ({"order_id": 5}, ("place", None, "alice", "e1")),
        ({"user_id": ""}, ("place", "o1", None, "e1")),
        ({"event_id": "x" * 65}, ("place", "o1", "alice", None)),
        ({"typo": {"order_id": "o2"}}, ("place", "o1", "alice", "e1")),
    ],
)
def test_an_invalid_event_still_tells_what_could_be_read(
    changed: dict[str, Any], read: tuple[str | None, ...]
) -> None:
    one = refuse(encode(**place_fields(event_id="e1") | changed))
    assert (one.type, one.order_id, one.user_id, one.event_id) == read


PAUSE = b'"type":"pause","order_id":"o1"'


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (b'{"order_id":"o2",%b}' % PAUSE, "order_id"),
        (b'{%b,"order_id":"o1"}' % PAUSE, "order_id"),
        (b'{%b,"type":"cancel"}' % PAUSE, "type"),
        (b'{%b,"order\\u005fid":"o2"}' % PAUSE, "order_id"),
        (b'{%b,"schema":1,"schema":1}' % PAUSE, "schema"),
        (b'{%b,"schema":2,"schema":1}' % PAUSE, "schema"),
        (b'{%b,"user_id":null,"user_id":"alice"}' % PAUSE, "user_id"),
        (b'{%b,"event_id":"a,b","event_id":"c,d"}' % PAUSE, "event_id"),
        (b'{%b,"x":1,"x":2}' % PAUSE, "x"),
        (json.dumps(place_fields()).replace("{", '{"amount":1,').encode(), "amount"),
        (json.dumps(place_fields(amount=2)).replace("{", '{"amount":"1",').encode(), "amount"),
    ],
)
def test_a_field_that_is_given_twice_is_refused_for_parsers_disagree_about_it(
    value: bytes, name: str
) -> None:
    refusal = refuse(value)
    assert (refusal.reason, refusal.detail) == ("invalid", f"{name}: is given more than once")
    told = {"type": refusal.type, "order_id": refusal.order_id, "user_id": refusal.user_id}
    assert told.get(name) is None


def test_commas_in_texts_are_no_fields() -> None:
    read = event(type="pause", order_id="o,1", event_id=',",,"')
    assert (read["type"], read.get("order_id"), read["event_id"]) == ("pause", "o,1", ',",,"')
