"""Order events (``orders.events``): what producers send, and why one is refused."""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, NotRequired, final

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from pydantic_core import ErrorDetails
from typing_extensions import TypedDict

from schemas.exact_json import Number, exact_loads
from schemas.identifier import Currency, EventId, Identifier
from schemas.money import Money, plain_decimal
from schemas.timestamp import EventTime
from schemas.version import SCHEMA

EventType = Literal["place", "pause", "resume", "cancel", "cancel_all_by_user"]
EVENT_TYPES: Final[tuple[EventType, ...]] = (
    "place",
    "pause",
    "resume",
    "cancel",
    "cancel_all_by_user",
)

RefusalReason = Literal["malformed", "invalid", "too_large"]


# Unknown fields are refused: a typo must not pass silently.
_checked = with_config(ConfigDict(extra="forbid", strict=True))


class _Event(TypedDict):
    """What all events share.

    Dictionaries, because one is made for every record: a model takes half as long again to make,
    and each of its fields three times as long to read.
    """

    event_id: NotRequired[EventId | None]
    occurred_at: NotRequired[EventTime | None]
    # Not Literal[1]: that would take true for 1.
    schema: NotRequired[Annotated[int, Field(ge=SCHEMA, le=SCHEMA)]]


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
    """Why bytes are no event, with whatever could still be read of it.

    ``detail`` is one line, ``field: what is wrong`` joined by ``"; "``.
    """

    reason: RefusalReason
    detail: str
    type: EventType | None = None
    order_id: str | None = None
    user_id: str | None = None
    event_id: str | None = None


def parse_event(value: bytes | None) -> Event | Refusal:
    """Read one event, as the value of a record.

    Returns:
        The event, or a `Refusal` that says why it is none. Never raises for bad input.
    """
    try:
        event: Event = _read_json(value)
    except ValidationError as error:
        return _second_look(value, error)
    return event


def too_large(size_bytes: int, max_event_bytes: int) -> Refusal:
    """The refusal of a record that is over the limit."""
    return Refusal("too_large", f"{size_bytes} bytes, more than the {max_event_bytes} allowed")


def _second_look(value: bytes | None, error: ValidationError) -> Event | Refusal:
    """Try again with exact numbers, which pydantic's own JSON path would round."""
    if value is None:
        return Refusal("malformed", "the value is null")
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return Refusal("malformed", _one_line(first["msg"]))
    try:
        parsed = exact_loads(value)
    except (ValueError, RecursionError) as problem:
        return Refusal("malformed", _one_line(f"Invalid JSON: {problem}"))
    if not isinstance(parsed, dict):
        return Refusal("invalid", "must be a JSON object")
    fields = {name: _plain(name, content) for name, content in parsed.items()}
    try:
        event: Event = _read_python(fields)
    except ValidationError as exact_error:
        return _invalid(fields, exact_error)
    return event


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
    named = fields.get("type")
    return Refusal(
        "invalid",
        _describe(problems),
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
