"""A naive reader of events: the judge of what is an event.

It shares nothing with the product: the standard library's JSON, and the table of docs/reference.md
written down rule by rule. What it says must be obvious from reading it.
"""

import json
import re
from datetime import datetime
from decimal import Decimal
from typing import Any

_REQUIRED = {
    "place": {"type", "order_id", "user_id", "currency", "amount", "price"},
    "pause": {"type", "order_id"},
    "resume": {"type", "order_id"},
    "cancel": {"type", "order_id"},
    "cancel_all_by_user": {"type", "user_id"},
}
_OPTIONAL = {"user_id", "event_id", "occurred_at", "schema"}


class _Number(str):
    """A number as it is written."""


def read_event(value: bytes | None) -> dict[str, Any] | None:
    """The fields of an event, money as plain text; None when the bytes are no event."""
    try:
        fields = json.loads(
            (value or b"").decode("utf-8"),
            object_pairs_hook=_once,
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_Number,
        )
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) and _is_event(fields) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if sorted(names) != sorted(set(names)):
        raise ValueError("a name comes twice")
    return dict(pairs)


def _is_event(fields: dict[str, Any]) -> bool:
    kind = fields.get("type")
    if type(kind) is not str or kind not in _REQUIRED:
        return False
    required = _REQUIRED[kind]
    if not required <= fields.keys() <= required | _OPTIONAL:
        return False
    for name in list(fields):
        if fields[name] is None and name not in required and name != "schema":
            del fields[name]
        elif name in ("amount", "price"):
            fields[name] = _money(fields[name])
    return all(_is_right(name, content) for name, content in fields.items())


def _is_right(name: str, content: Any) -> bool:
    if name == "schema":
        return type(content) is _Number and content == "1"
    if type(content) is not str or any("\ud800" <= one <= "\udfff" for one in content):
        return False
    if name == "event_id":
        return 1 <= len(content) <= 64
    if name in ("order_id", "user_id"):
        return 1 <= len(content) <= 64 and content.isprintable() and " " not in content
    if name == "currency":
        return re.fullmatch(r"[A-Za-z0-9._-]{1,32}", content) is not None
    return name != "occurred_at" or _is_time(content)


def _money(content: Any) -> str | None:
    if type(content) is _Number and "N" not in content.upper():
        exponent = re.search(r"[eE]([+-]?[0-9]+)$", content)
        if exponent is not None and abs(int(exponent[1][:9])) > 10_000:
            return None
        number = Decimal(content)
        content = format(number, "f") if "e" in content.lower() else str(content)
    if type(content) is not str or not re.fullmatch(r"[0-9]+(\.[0-9]+)?", content):
        return None
    whole, _, fraction = content.partition(".")
    digits = whole + fraction
    if len(digits) > 38 or len(fraction) > 18 or set(digits) <= {"0"}:
        return None
    return content


def _is_time(text: str) -> bool:
    form = r"(\d{4}-\d\d-\d\dT([01]\d|2[0-3]):\d\d:\d\d)(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)"
    found = re.fullmatch(form, text.upper(), re.ASCII)
    if found is None:
        return False
    try:
        at = datetime.fromisoformat(found[1] + found[4].replace("Z", "+00:00"))
        return 0 <= at.timestamp() < 253_402_300_800
    except (ValueError, OverflowError):
        return False
