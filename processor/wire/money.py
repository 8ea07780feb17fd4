"""Exact positive decimals: a string keeps its digits, a JSON number is taken digit by digit."""

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from processor.wire.json_schema import MONEY

MAX_DIGITS = 38
MAX_FRACTION_DIGITS = 18

# Most amounts: positive, and within both limits whatever the split. The rest takes the long way.
_COMMON = re.compile(r"(?=[0-9.]*[1-9])[0-9]{1,20}(?:\.[0-9]{1,18})?")
_PLAIN = re.compile(r"([0-9]+)(?:\.([0-9]+))?")
_NEGATIVE = re.compile(r"-[0-9]+(?:\.[0-9]+)?")


def _not_a_decimal() -> PydanticCustomError:
    return PydanticCustomError(
        "money_format", 'must be a decimal such as "1.50" (digits, optionally a point and digits)'
    )


def check_money(text: str) -> str:
    """Return ``text`` when it is a positive decimal within the limits.

    Args:
        text: plain decimal digits, ``[0-9]+(\\.[0-9]+)?``.

    Raises:
        PydanticCustomError: the text breaks the format, the sign or the digit limits.
    """
    if _COMMON.fullmatch(text):
        return text
    match = _PLAIN.fullmatch(text)
    if match is None:
        if _NEGATIVE.fullmatch(text):
            raise PydanticCustomError("money_positive", "must be greater than 0")
        raise _not_a_decimal()
    whole, fraction = match[1], match[2] or ""
    if len(whole) + len(fraction) > MAX_DIGITS:
        raise PydanticCustomError("money_digits", f"must have at most {MAX_DIGITS} digits")
    if len(fraction) > MAX_FRACTION_DIGITS:
        raise PydanticCustomError(
            "money_fraction", f"must have at most {MAX_FRACTION_DIGITS} fractional digits"
        )
    if not text.strip("0."):
        raise PydanticCustomError("money_positive", "must be greater than 0")
    return text


def plain_decimal(number: str) -> str:
    """Write a JSON number, or Python's form of a number, as plain decimal digits.

    Args:
        number: the number's text, for example ``50000.0``, ``1e3`` or ``-0.5``.

    Returns:
        The same value without exponent, keeping the digits given. What is no finite number, or
        would need far more digits than money may have, comes back as it is, for `check_money`
        to refuse.
    """
    if _PLAIN.fullmatch(number):
        return number
    try:
        exact = Decimal(number)
    except InvalidOperation:
        return number
    exponent = exact.as_tuple().exponent
    # 1e400 must not be written out: check before formatting, with room for an honest message.
    if not isinstance(exponent, int) or abs(exponent) > 2 * MAX_DIGITS:
        return number
    return format(exact, "f")


_Common = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,19}(\.[0-9]{1,18})?$")]
# As with identifiers: most amounts never leave pydantic's engine.
Money = Annotated[
    _Common | Annotated[str, AfterValidator(check_money)],
    Field(union_mode="left_to_right"),
    WithJsonSchema(MONEY),
]
"""A positive decimal of at most 38 digits, 18 of them fractional, as a plain string."""
