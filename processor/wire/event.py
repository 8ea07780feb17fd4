"""Order events (``orders.events``): what producers send, and why one is refused."""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, NotRequired, final

from pydantic import (
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    with_config,
)
from pydantic_core import ErrorDetails
from typing_extensions import TypedDict

from processor.wire.exact_json import Ambiguous, Number, exact_loads
from processor.wire.identifier import Currency, EventId, Identifier
from processor.wire.money import Money, plain_decimal
from processor.wire.timestamp import EventTime
from processor.wire.version import SCHEMA

EventType = Literal["place", "pause", "resume", "cancel", "cancel_all_by_user"]
EVENT_TYPES: Final[tuple[EventType, ...]] = (
    "place",
    "pause",
    "resume",
    "cancel",
    "cancel_all_by_user",
)

RefusalReason = Literal["malformed", "invalid", "too_large", "too_late", "too_early"]


# Unknown fields are refused: a typo must not pass silently.
_checked = with_config(ConfigDict(extra="forbid", strict=True))


class _Event(TypedDict):
    """The common fields of all events.

    Dictionaries, because one is made for every record: a model takes half as long again to make,
    and each of its fields three times as long to read.
    """

    event_id: NotRequired[EventId | None]
    occurred_at: NotRequired[EventTime | None]
    # Not Literal[1]: that would take true for 1.
    schema: NotRequired[
        Annotated[int, Field(ge=SCHEMA, le=SCHEMA), WithJsonSchema({"const": SCHEMA})]
    ]


@_checked
class Place(_Event):
    """Put a new order on the books, active and last in placement order."""

    type: Literal["place"]
    order_id: Identifier
    user_id: Identifier
    currency: Currency
    amount: Money
    price: Money


@_checked
class Pause(_Event):
    """Pause an active order."""

    type: Literal["pause"]
    order_id: Identifier
    user_id: NotRequired[Identifier | None]


@_checked
class Resume(_Event):
    """Resume a paused order."""

    type: Literal["resume"]
    order_id: Identifier
    user_id: NotRequired[Identifier | None]


@_checked
class Cancel(_Event):
    """Remove a live order."""

    type: Literal["cancel"]
    order_id: Identifier
    user_id: NotRequired[Identifier | None]


@_checked
class CancelAllByUser(_Event):
    """Remove every live order of a user."""

    type: Literal["cancel_all_by_user"]
    user_id: Identifier


Event = Place | Pause | Resume | Cancel | CancelAllByUser
EVENT: Final[TypeAdapter[Event]] = TypeAdapter(
    Annotated[Event, Field(discriminator="type")],
    # Ids and amounts hardly ever come again: looking for each in a cache of thousands is waste.
    config=ConfigDict(cache_strings="keys"),
)
_read_json: Any = EVENT.validator.validate_json
_read_python = EVENT.validator.validate_python

_IDENTIFIER: Final[TypeAdapter[str]] = TypeAdapter(Identifier)
_EVENT_ID: Final[TypeAdapter[str]] = TypeAdapter(EventId)


@final
@dataclass(frozen=True, slots=True)
class Refusal:
    """Why bytes are no event, or one out of time, with whatever could still be read of it.

    ``detail`` is one line, ``field: what is wrong`` joined by ``"; "``; ``at_us`` is the event time
    in microseconds, if it is what is wrong.
    """

    reason: RefusalReason
    detail: str
    type: EventType | None = None
    order_id: str | None = None
    user_id: str | None = None
    event_id: str | None = None
    at_us: int | None = None


# More than any event has, and few enough to say of each what is wrong.
_MANY_FIELDS: Final = 50


def parse_event(value: bytes | None) -> Event | Refusal:
    """Read one event, as the value of a record.

    Returns:
        The event, or a `Refusal` that says why it is none. Never raises for bad input.
    """
    try:
        event: Event = _read_json(value)
    except ValidationError as error:
        return _second_look(value, error)
    # It takes the last of two fields of one name, and does not say so. Nothing in an event is
    # nested, so without such a field, and without a comma in a text, each field but the first
    # comes with one comma.
    if value is not None and value.count(b",") >= len(event):
        return _unless_ambiguous(value, event)
    return event


def too_large(size_bytes: int, max_event_bytes: int) -> Refusal:
    """The refusal of a record that is over the limit."""
    return Refusal("too_large", f"{size_bytes} bytes, more than the {max_event_bytes} allowed")


def _unless_ambiguous(value: bytes, event: Event) -> Event | Refusal:
    """The event, if each of its fields is there once."""
    parsed = _exact(value)
    if isinstance(parsed, Ambiguous):
        return _ambiguous(parsed)
    return parsed if isinstance(parsed, Refusal) else event


def _second_look(value: bytes | None, error: ValidationError) -> Event | Refusal:
    """Try again with exact numbers, which pydantic's own JSON path would round."""
    if value is None:
        return Refusal("malformed", "the value is null")
    # What is not JSON is one error; a list of thousands takes long to make.
    if error.error_count() == 1:
        (only,) = error.errors(include_url=False, include_context=False, include_input=False)
        # A number of thousands of digits is JSON; only that parser has no room for it.
        if only["type"] == "json_invalid" and "number out of range" not in only["msg"]:
            return Refusal("malformed", _one_line(only["msg"]))
    parsed = _exact(value)
    if isinstance(parsed, Refusal):
        return parsed
    if not isinstance(parsed, dict):
        return Refusal("invalid", "must be a JSON object")
    if isinstance(parsed, Ambiguous):
        return _ambiguous(parsed)
    if len(parsed) > _MANY_FIELDS:
        return _with_what_is_known(f"has {len(parsed)} fields, more than any event", parsed)
    fields = {name: _plain(name, content) for name, content in parsed.items()}
    try:
        event: Event = _read_python(fields)
    except ValidationError as exact_error:
        return _invalid(fields, exact_error)
    return event


def _exact(value: bytes) -> object | Refusal:
    """The JSON value with exact numbers, or the refusal of what a second parser does not read."""
    try:
        return exact_loads(value)
    except (ValueError, RecursionError) as problem:
        return Refusal("malformed", _one_line(f"Invalid JSON: {problem}"))


def _plain(name: str, content: object) -> object:
    """A field's content for pydantic: exact money, and small integers as integers."""
    if not isinstance(content, Number):
        return content
    if name in ("amount", "price"):
        return plain_decimal(content.text)
    if content.text.isdecimal() and len(content.text) < 19:
        return int(content.text)
    return content


def _invalid(fields: dict[str, object], error: ValidationError) -> Refusal:
    problems = error.errors(include_url=False, include_input=False)
    return _with_what_is_known(_describe(problems), fields)


def _ambiguous(fields: Ambiguous) -> Refusal:
    """The refusal of fields that are given twice: of those, nothing is known."""
    detail = "; ".join(f"{name}: is given more than once" for name in fields.repeated[:3])
    known = {name: fields[name] for name in fields.keys() - set(fields.repeated)}
    return _with_what_is_known(_one_line(detail), known)


def _with_what_is_known(detail: str, fields: dict[str, object]) -> Refusal:
    named = fields.get("type")
    return Refusal(
        "invalid",
        detail,
        type=next((known for known in EVENT_TYPES if known == named), None),
        order_id=_if_valid(_IDENTIFIER, fields.get("order_id")),
        user_id=_if_valid(_IDENTIFIER, fields.get("user_id")),
        event_id=_if_valid(_EVENT_ID, fields.get("event_id")),
    )


def _if_valid(adapter: TypeAdapter[str], value: object) -> str | None:
    try:
        return adapter.validate_python(value, strict=True)
    except ValidationError:
        return None


_KNOWN_SCHEMA: Final = f"must be {SCHEMA}, the only schema version known here"
_WORDS: Final[dict[str, str]] = {
    "missing": "is missing",
    "extra_forbidden": "unknown field",
    "string_type": "must be a string",
    "string_unicode": "must be valid Unicode",
    "string_too_short": "must have at least 1 character",
    "string_too_long": "must have at most 64 characters",
    "string_pattern_mismatch": "must be 1 to 32 of the characters A-Z a-z 0-9 . _ -",
    "int_type": _KNOWN_SCHEMA,
    "greater_than_equal": _KNOWN_SCHEMA,
    "less_than_equal": _KNOWN_SCHEMA,
    "union_tag_not_found": "type: is missing",
    "union_tag_invalid": f"type: must be one of {', '.join(EVENT_TYPES)}",
}


def _describe(problems: list[ErrorDetails]) -> str:
    """One line: each field with what is wrong with it, three at most."""
    said: dict[str | None, str] = {}
    for problem in problems:
        location = problem["loc"]
        # In a tagged union the first step is the tag, which is no field.
        if location and location[0] in EVENT_TYPES:
            location = location[1:]
        # Where a field has alternatives, the last one has the full rule.
        said[str(location[0]) if location else None] = _WORDS.get(problem["type"], problem["msg"])
    named = [text if field is None else f"{field}: {text}" for field, text in said.items()]
    return _one_line("; ".join(named[:3]))


def _one_line(text: str) -> str:
    return " ".join(text.split())[:400]
