"""Event times: RFC 3339 on the wire, microseconds since 1970-01-01T00:00:00Z inside."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from processor.wire.json_schema import EVENT_TIME

_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt](?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
MAX_TIME_US = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_MAX_TIME_MS = MAX_TIME_US // 1000


def parse_time(text: str) -> int:
    """Read an RFC 3339 time with zone; digits finer than a microsecond are cut.

    Returns:
        Microseconds since 1970-01-01T00:00:00Z.

    Raises:
        ValueError: the text is no such time, or lies outside the years 1970 to 9999.
    """
    if not _RFC3339.fullmatch(text):
        raise ValueError("must be an RFC 3339 time with a zone, such as 2026-01-31T12:00:00Z")
    try:
        time_us = (datetime.fromisoformat(text.upper()) - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        raise ValueError("must be a time that exists, such as 2026-01-31T12:00:00Z") from None
    if not 0 <= time_us <= MAX_TIME_US:
        raise ValueError("must lie in the years 1970 to 9999")
    return time_us


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=4096)
def format_time(time_us: int) -> str:
    """Write microseconds since the epoch as RFC 3339 in UTC, with 3 or, where needed, 6 digits."""
    seconds, micros = divmod(time_us, 1_000_000)
    millis, rest = divmod(micros, 1000)
    return f"{_second(seconds)}.{micros:06}Z" if rest else f"{_second(seconds)}.{millis:03}Z"


def record_time_us(timestamp_ms: int) -> int:
    """A Kafka record's timestamp in microseconds, held within the years we can write.

    Producers set it freely, to -1 or to the end of time: it must not stop a stream.
    """
    if 0 <= timestamp_ms <= _MAX_TIME_MS:
        return timestamp_ms * 1000
    return MAX_TIME_US if timestamp_ms > 0 else 0


def _from_wire(value: Any) -> int:
    if not isinstance(value, str):
        raise PydanticCustomError("event_time", "must be a string with an RFC 3339 time")
    try:
        return parse_time(value)
    except ValueError as error:
        raise PydanticCustomError("event_time", "{problem}", {"problem": str(error)}) from None


EventTime = Annotated[
    int,
    BeforeValidator(_from_wire),
    WithJsonSchema(EVENT_TIME),
]
"""An RFC 3339 string with zone on the wire; microseconds since the epoch in Python."""
