"""The event's schema accepts what the code reads, but for what JSON Schema cannot express."""

import json
import re
import sys
from typing import Any

import pytest

from processor.wire.event import Refusal, parse_event
from tests.broken_input import NASTY
from tests.builders import encode, place_fields
from tests.contract_schemas import EXAMPLE_FILES, schema, validator


def _pause(**more: object) -> bytes:
    return encode(type="pause", order_id="o1", **more)


def _amount(written: str) -> bytes:
    text = json.dumps(place_fields(amount=0))
    return text.replace('"amount": 0', f'"amount": {written}').encode()


def _place_without(field: str) -> bytes:
    return encode(**{name: one for name, one in place_fields().items() if name != field})


_TYPES: list[object] = [
    "pause", "resume", "cancel", "place", "cancel_all_by_user",
    "buy", "Place", "", 1, None, ["pause"],
]  # fmt: skip
_IDS = ["o", "é", "注文1", "😀", "a" * 64, '"\\/', "😀" * 64]
_NO_IDS: list[object] = [
    "", "a" * 65, "a b", " ", "a\n", "a\x00", "a\x1fb", "a\x7f", "a\u00a0b", "a\u200b", "a\u2028",
    1, True, ["a"], {"a": 1},
]  # fmt: skip
_CURRENCIES: list[object] = [
    "B", "BTC-USD", "a.b_C-9", "x" * 32, "", "BTC\n", "BT C", "x" * 33, "É", "B/C", 1, None,
]  # fmt: skip
_AMOUNTS = [
    "1", "1.50", "007.50", "0.000000000000000001", "9" * 38, f"{'9' * 20}.{'9' * 18}",
]  # fmt: skip
_NO_AMOUNTS = [
    "", " ", "0", "0.0", "-1", "+1", "1.", ".5", "1e3", "1_000", "1,5", "NaN", "Infinity", "1\n",
    "9" * 39, f"0.{'9' * 19}", f"{'9' * 21}.{'9' * 18}", "１", "9" * 10_000,
]  # fmt: skip
_NUMBERS = [
    "1", "50000.0", "1e3", "1E3", "1.50", "1e37", "1e-18", "9" * 38, "0.123456789012345678",
]  # fmt: skip
_NO_NUMBERS = [
    "null",
    "true",
    "[]",
    "{}",
    "0",
    "0.0",
    "-0.0",
    "-1",
    "1e39",
    "1e400",
    "1e-400",
    "9" * 40,
    "1" * 4_000,
]
_TIMES = [
    "2026-01-31T12:00:00Z", "2026-01-31t12:00:00.123456789z", "1970-01-01T00:00:00Z",
    "1969-12-31T23:30:00-01:00", "2024-02-29T23:59:59+23:59", "9999-12-31T23:59:59.999999Z",
]  # fmt: skip
_NO_TIMES: list[object] = [
    1, "", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31 12:00:00Z", "2026-01-31T12:00Z",
    "2026-1-31T12:00:00Z", "2026-13-01T12:00:00Z", "2026-00-01T12:00:00Z", "2026-01-32T12:00:00Z",
    "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z", "2026-01-31T12:00:60Z",
    "2026-01-31T12:00:00+24:00", "2026-01-31T12:00:00+01:60", "2026-01-31T12:00:00+0100",
    "1969-12-30T23:30:00-01:00", "10000-01-01T00:00:00Z", "2026-01-31T12:00:00.Z",
    "2026-01-31T12:00:00Z\n", "２０２６-01-31T12:00:00Z",
]  # fmt: skip

_BASES: list[dict[str, Any]] = [
    place_fields(),
    *({"type": kind, "order_id": "o1"} for kind in ("pause", "resume", "cancel")),
    {"type": "cancel_all_by_user", "user_id": "u"},
]
_CHANGES: list[dict[str, Any]] = [
    {"type": "buy"},
    {"schema": 2},
    {"more": 1},
    *(
        {name: value}
        for name in ("event_id", "occurred_at", "user_id")
        for value in (None, 1, "", "x")
    ),
]

_FIELDS: list[tuple[str, object, bytes]] = [
    *((base["type"], one, encode(**base | one)) for base in _BASES for one in _CHANGES),
    *(("id", one, encode(**place_fields(order_id=one))) for one in _IDS),
    *(("no order id", one, encode(**place_fields() | {"order_id": one})) for one in _NO_IDS),
    *(("no user id", one, encode(**place_fields() | {"user_id": one})) for one in _NO_IDS),
    *(("currency", one, encode(**place_fields(currency=one))) for one in _CURRENCIES),
    *(("amount", one, encode(**place_fields(amount=one))) for one in _AMOUNTS),
    *(("price", one, encode(**place_fields(price=one))) for one in _AMOUNTS),
    *(("no amount", one, encode(**place_fields(amount=one))) for one in _NO_AMOUNTS),
    *(("no price", one, encode(**place_fields(price=one))) for one in _NO_AMOUNTS),
    *(("number", one, _amount(one)) for one in _NUMBERS),
    *(("no number", one, _amount(one)) for one in _NO_NUMBERS),
    *(("time", one, _pause(occurred_at=one)) for one in _TIMES),
    *(("no time", one, _pause(occurred_at=one)) for one in _NO_TIMES),
    *(("event id", one, _pause(event_id=one)) for one in ("", "x" * 64, "x" * 65, "a\n b", 7)),
    *(("schema", one, _pause(schema=one)) for one in (1, 2, 0, -1, True, "1", None)),
    *(("type", one, encode(type=one, order_id="o1", user_id="u")) for one in _TYPES),
    *(("without", one, _place_without(one)) for one in place_fields()),
    *(("JSON", one, one.encode()) for one in ("null", "[]", "1", '"place"', "true", "{}")),
]
EVENTS: dict[str, bytes] = {
    **{path.stem: path.read_bytes() for path in EXAMPLE_FILES if path.stem.startswith("event.")},
    **{f"{name} {number}: {one!r:.20}": x for number, (name, one, x) in enumerate(_FIELDS)},
    "null where it may be": _pause(user_id=None, event_id=None, occurred_at=None),
    "no order id but null": encode(type="pause", order_id=None),
    "no user id but null": encode(**place_fields() | {"user_id": None}),
    "no order id": b'{"type":"pause"}',
    "no user": b'{"type":"cancel_all_by_user"}',
    "no type": b'{"order_id":"o1"}',
    "only a type": b'{"type":"place"}',
    "a field with a typo": _pause(amont=1),
    "a field without a name": _pause(**{"": 1}),
    "a field of another type of event": _pause(currency="BTC"),
    "an order id for all": encode(type="cancel_all_by_user", user_id="u", order_id="o1"),
    **{name: value for name, value in NASTY.items() if value is not None},
}

BEYOND_JSON_SCHEMA: dict[str, bytes] = {
    "1.0 is an integer to JSON Schema": b'{"type":"pause","order_id":"o1","schema":1.0}',
    "a field twice": NASTY["a field twice"] or b"",
    "a field twice, once escaped": NASTY["a field twice, once escaped"] or b"",
    "a lone surrogate": NASTY["a lone surrogate"] or b"",
    "digits of a number": _amount("0.1234567890123456789"),
    "digits of a large number": _amount("1e38"),
    "a day that is not in its month": _pause(occurred_at="2026-02-30T12:00:00Z"),
    "a year moved out by its zone": _pause(occurred_at="9999-12-31T23:59:59-01:00"),
    "a year not moved in by its zone": _pause(occurred_at="1969-12-31T23:30:00Z"),
    "a character that is not assigned": _pause(user_id="\u0378"),
    "a rare format character": _pause(user_id="\U000e0001"),
}


def _load(value: bytes) -> Any:
    """As strictly as any JSON parser.

    Raises:
        ValueError: it is no JSON.
    """

    def refuse(name: str) -> None:
        raise ValueError(name)

    return json.loads(value.decode("utf-8"), parse_constant=refuse)


def _is_valid(value: bytes) -> bool:
    try:
        return validator("event").is_valid(_load(value))
    except (ValueError, RecursionError):
        return False


@pytest.mark.parametrize("name", [name for name in EVENTS if name not in BEYOND_JSON_SCHEMA])
def test_the_schema_and_the_code_agree_on_what_is_an_event(name: str) -> None:
    assert _is_valid(EVENTS[name]) == (not isinstance(parse_event(EVENTS[name]), Refusal))


@pytest.mark.parametrize("name", BEYOND_JSON_SCHEMA)
def test_the_code_refuses_what_json_schema_cannot_express(name: str) -> None:
    assert _is_valid(BEYOND_JSON_SCHEMA[name])
    assert isinstance(parse_event(BEYOND_JSON_SCHEMA[name]), Refusal)


def test_no_character_that_an_id_may_have_is_refused_by_the_schema() -> None:
    refused = re.compile(schema("event")["$defs"]["Identifier"]["not"]["pattern"])
    every = map(chr, range(sys.maxunicode + 1))
    found = [one for one in every if refused.search(one)]
    assert len(found) > 6_400
    assert not any(one.isprintable() and one != " " for one in found)
