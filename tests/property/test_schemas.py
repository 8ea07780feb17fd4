"""Whatever comes in, the contract in `schemas/` says of it what the code does."""

import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from processor.core.orders.records import answer_records, live_records
from processor.core.orders.stream import OrderStream
from processor.wire.event import Refusal, parse_event
from processor.wire.timestamp import parse_time
from tests.contract_schemas import strict_validator, validator
from tests.property.strategies import events

_FIELDS = [
    "type", "schema", "order_id", "user_id", "currency", "amount", "price", "event_id",
    "occurred_at", "count",
]  # fmt: skip
_texts = st.one_of(
    st.text(max_size=70),
    st.from_regex(r"[0-9]{1,40}(\.[0-9]{1,20})?", fullmatch=True),
    st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-9:]{8}(\.[0-9]+)?(Z|\+0[0-9]:00)"),
    st.datetimes().map(lambda time: f"{time.isoformat()}Z"),
    st.sampled_from(["place", "pause", "resume", "cancel", "cancel_all_by_user"]),
)
_numbers = st.one_of(
    st.integers(), st.integers(-1, 2), st.floats(allow_nan=False, allow_infinity=False)
)
_values = st.one_of(
    _texts, _numbers, st.none(), st.booleans(), st.just([]), st.dictionaries(_texts, _numbers)
)
almost_events = st.tuples(
    events,
    st.dictionaries(st.sampled_from(_FIELDS), _values, max_size=2),
    st.sets(st.sampled_from(_FIELDS), max_size=1),
).map(lambda drawn: {k: v for k, v in (drawn[0] | drawn[1]).items() if k not in drawn[2]})


def is_beyond_json_schema(event: dict[str, Any]) -> bool:
    """Whether an event breaks one of the rules of which the schema only has a description."""
    ids = [event.get("order_id"), event.get("user_id")]
    if any(isinstance(one, str) and not one.isprintable() for one in ids):
        return True
    return (
        type(event.get("schema")) is float
        or any(_has_too_many_digits(event.get(name)) for name in ("amount", "price"))
        or _is_no_time(event.get("occurred_at"))
    )


def _has_too_many_digits(number: object) -> bool:
    if not isinstance(number, int | float):
        return False
    whole, _, fraction = format(Decimal(json.dumps(number)), "f").partition(".")
    return len(whole) + len(fraction) > 38 or len(fraction) > 18


def _is_no_time(text: object) -> bool:
    try:
        return isinstance(text, str) and parse_time(text) < 0
    except ValueError:
        return True


@given(almost_events)
def test_the_schema_takes_every_event_that_the_code_takes_and_hardly_more(
    event: dict[str, Any],
) -> None:
    is_event = not isinstance(parse_event(json.dumps(event).encode()), Refusal)
    is_valid = validator("event").is_valid(event)
    assert is_valid or not is_event
    assert is_event or not is_valid or is_beyond_json_schema(event)


@given(st.lists(events | almost_events, max_size=8))
def test_every_answer_and_every_live_order_is_as_its_schema_says(
    read: list[dict[str, Any]],
) -> None:
    parsed = [parse_event(json.dumps(event).encode()) for event in read]
    decisions, changes = OrderStream(0, 1).step(
        [(offset, 0, event) for offset, event in enumerate(parsed)]
    )
    for _, value, _ in answer_records((0, one) for one in decisions):
        strict_validator("answer").validate(json.loads(value or b""))
    for _, value, headers in live_records(0, changes):
        if value is None:
            texts = {name: (text or b"").decode() for name, text in headers}
            strict_validator("live-order-removed-headers").validate(texts)
        else:
            strict_validator("live-order").validate(json.loads(value))
