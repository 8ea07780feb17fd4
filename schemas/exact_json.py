"""JSON in which a number keeps the digits that were written."""

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    """A JSON number (or NaN, Infinity) as its text. Deliberately no str and no int."""

    text: str


def exact_loads(value: bytes) -> object:
    """Parse JSON without rounding any number.

    Args:
        value: UTF-8 JSON.

    Returns:
        The Python value, with every number as a `Number`.

    Raises:
        ValueError: the bytes are no UTF-8 or no JSON.
        RecursionError: the JSON is nested too deeply.
    """
    # json.loads(bytes) would guess UTF-16 and UTF-32 too.
    return json.loads(
        value.decode("utf-8"), parse_float=Number, parse_int=Number, parse_constant=Number
    )
