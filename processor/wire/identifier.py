"""Order, user and event ids as they may appear on the wire."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from processor.wire.json_schema import CURRENCY, EVENT_ID, IDENTIFIER

MAX_ID_CHARS = 64


def _printable(text: str) -> str:
    # A pattern with Unicode classes costs 3 us a field in pydantic's regex engine; this costs 0.2.
    if text.isprintable() and " " not in text:
        return text
    raise PydanticCustomError(
        "identifier", "must be printable characters without spaces or control characters"
    )


_Ascii = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,64}$")]
_AnyScript = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_ID_CHARS), AfterValidator(_printable)
]
# The first alternative says nothing new, but it stays within pydantic's engine: 0.3 us a field.
Identifier = Annotated[
    _Ascii | _AnyScript, Field(union_mode="left_to_right"), WithJsonSchema(IDENTIFIER)
]
"""1 to 64 printable characters, no spaces or control characters."""

EventId = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_ID_CHARS), WithJsonSchema(EVENT_ID)
]
"""1 to 64 characters of any kind."""

Currency = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,32}$"), WithJsonSchema(CURRENCY)
]
"""A currency or instrument code."""
