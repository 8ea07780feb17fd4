"""JSON in which a number keeps the digits that were written, and no name is lost."""

import json
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    """A JSON number (or NaN, Infinity) as its text. Deliberately no str and no int."""

    text: str


class Ambiguous(dict[str, object]):
    """A JSON object with a name that comes more than once; the last content is kept.

    Some parsers take the first and some the last, so it means different things to different ones.
    """

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        times = Counter(name for name, _ in pairs)
        self.repeated = [name for name, count in times.items() if count > 1]


def exact_loads(value: bytes) -> object:
    """Parse JSON without rounding any number.

    Args:
        value: UTF-8 JSON.

    Returns:
        The Python value, with every number as a `Number`, and every object in which a name comes
        twice as `Ambiguous`.

    Raises:
        ValueError: the bytes are no UTF-8 or no JSON.
        RecursionError: the JSON is nested too deeply.
    """
    # json.loads(bytes) would guess UTF-16 and UTF-32 too.
    return json.loads(
        value.decode("utf-8"),
        parse_float=Number,
        parse_int=Number,
        parse_constant=Number,
        object_pairs_hook=_object,
    )


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else Ambiguous(pairs)
