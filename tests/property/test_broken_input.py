"""Whatever bytes come in, each input has one answer, each refused one a dead letter, and the orders
are those of the valid events alone."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.broken_input import NASTY, judge
from tests.builders import encode, place_fields
from tests.property.strategies import events

_TOKENS = [
    *(b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\\u", b"\\ud800", b"null", b"true"),
    *(b"NaN", b"-", b"1e400", b"1E-9", b"0", b"9" * 40, b".", b"\xff", b"\xef\xbb\xbf", b"\x00"),
    *(b"\x1b[31m", b"\\u001b", b"\xe2\x80\xae", b" ", b"\n", b'"type":"pause"', b'"order_id":"o1"'),
]
_NAMES = ["type", "schema", "order_id", "user_id", "currency", "amount", "price", "event_id", "x"]

_scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=70), st.just("1")
)
_contents = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner),
    max_leaves=3,
)
_numbers = st.from_regex(
    r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,6})?", fullmatch=True
)


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    """An event's text with tokens put in, or in place of some of it."""
    text = encode(**draw(events))
    for _ in range(draw(st.integers(1, 3))):
        at, cut = draw(st.integers(0, len(text))), draw(st.integers(0, 8))
        text = text[:at] + draw(st.sampled_from(_TOKENS)) + text[at + cut :]
    return text


@st.composite
def _with_pairs(draw: st.DrawFn) -> bytes:
    """An event with pairs added: names may come twice, and numbers be of any length."""
    pairs = list(draw(events).items())
    for name in draw(st.lists(st.sampled_from(_NAMES), min_size=1, max_size=3)):
        pairs.insert(draw(st.integers(0, len(pairs))), (name, draw(_contents)))
    return ("{" + ",".join(f"{json.dumps(k)}:{json.dumps(v)}" for k, v in pairs) + "}").encode()


@st.composite
def _with_number(draw: st.DrawFn) -> bytes:
    name = draw(st.sampled_from(["amount", "price", "schema", "order_id"]))
    text = json.dumps(place_fields("o2", "user1") | {name: "@"})
    return text.replace('"@"', draw(_numbers)).encode()


def _ids(event: dict[str, Any], text: str) -> bytes:
    return encode(**{name: text if name.endswith("id") else one for name, one in event.items()})


_values = st.one_of(
    events.map(lambda event: encode(**event)),
    st.none() | st.binary(max_size=50),
    st.lists(st.sampled_from(_TOKENS), max_size=30).map(b"".join),
    _damaged(),
    _with_pairs(),
    _with_number(),
    st.builds(_ids, events, st.text(min_size=1, max_size=66)),
    st.sampled_from(list(NASTY.values())),
)


@given(st.lists(_values, max_size=12))
def test_each_input_is_answered_and_nothing_is_applied_partly(values: list[bytes | None]) -> None:
    judge(values)


_BEFORE = encode(**place_fields("o1", "user1"))
_AFTER = encode(type="pause", order_id="o1", user_id="user1")


@pytest.mark.parametrize("value", NASTY.values(), ids=NASTY)
def test_a_nasty_input_between_two_events_changes_nothing(value: bytes | None) -> None:
    judge([_BEFORE, value, _AFTER])


def test_all_of_them_at_once_do_not_stop_the_stream() -> None:
    judge([one for value in NASTY.values() for one in (value, _BEFORE, value, _AFTER)])
