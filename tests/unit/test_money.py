"""Money is exact to the last digit."""

from decimal import Decimal

import pytest
from pydantic import TypeAdapter, ValidationError

from processor.wire.event import Refusal, parse_event
from processor.wire.money import Money, check_money, plain_decimal
from tests.builders import place_fields

MONEY: TypeAdapter[str] = TypeAdapter(Money)

FORMAT = 'must be a decimal such as "1.50" (digits, optionally a point and digits)'
POSITIVE = "must be greater than 0"
DIGITS = "must have at most 38 digits"
FRACTION = "must have at most 18 fractional digits"


def read_number(text: str) -> str | Refusal:
    """What becomes of a JSON number as an amount."""
    before, after = '{"amount":', ',"type":"place","order_id":"o","user_id":"u","currency":"B"'
    parsed = parse_event(f'{before}{text}{after},"price":"1"}}'.encode())
    if isinstance(parsed, Refusal):
        return parsed
    assert parsed["type"] == "place"
    return parsed["amount"]


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "1.50",
        "50000.0",
        "0.1234567890123456",
        "0.000000000000000001",
        "007.10",
        "9" * 38,
        "9" * 20 + "." + "9" * 18,
        "9" * 21 + "." + "9" * 17,
    ],
)
def test_a_string_keeps_the_digits_given(text: str) -> None:
    assert check_money(text) == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", FORMAT),
        (".5", FORMAT),
        ("5.", FORMAT),
        ("1e3", FORMAT),
        ("1_000", FORMAT),
        (" 1.5 ", FORMAT),
        ("1.5\n", FORMAT),
        ("+1", FORMAT),
        ("1,5", FORMAT),
        ("0x10", FORMAT),
        ("NaN", FORMAT),
        ("Infinity", FORMAT),
        ("١٢", FORMAT),
        ("1٢", FORMAT),
        ("１.５", FORMAT),  # full-width digits
        ("-1", POSITIVE),
        ("-0.5", POSITIVE),
        ("0", POSITIVE),
        ("0.00", POSITIVE),
        ("0" * 30, POSITIVE),
        ("9" * 39, DIGITS),
        ("0" * 38 + "1", DIGITS),
        ("9" * 10_000, DIGITS),
        ("9" * 21 + "." + "9" * 18, DIGITS),
        ("0." + "0" * 18 + "1", FRACTION),
        ("1." + "0" * 19, FRACTION),
    ],
)
def test_a_string_that_is_no_money_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValidationError) as caught:
        MONEY.validate_python(text)
    # The last of the alternatives has the full rule.
    assert caught.value.errors()[-1]["msg"] == problem


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("10", "10"),
        ("1.50", "1.50"),
        ("50000.0", "50000.0"),
        ("0.123456789012345678", "0.123456789012345678"),
        ("12345678901234567890.123456789012345678", "12345678901234567890.123456789012345678"),
        ("99999999999999999999999999999999999999", "9" * 38),
        ("9007199254740993", "9007199254740993"),  # 2^53 + 1: no float
        ("1e3", "1000"),
        ("1E+2", "100"),
        ("15E-1", "1.5"),
        ("1.50e1", "15.0"),
        ("1e-18", "0.000000000000000001"),
    ],
)
def test_a_json_number_is_taken_exactly_and_written_plainly(number: str, text: str) -> None:
    assert read_number(number) == text


@pytest.mark.parametrize(
    ("number", "problem"),
    [
        ("0", POSITIVE),
        ("-0", POSITIVE),
        ("-0.0", POSITIVE),
        ("0e5", POSITIVE),
        ("-12.5", POSITIVE),
        ("NaN", FORMAT),
        ("Infinity", FORMAT),
        ("-Infinity", FORMAT),
        ("1e400", FORMAT),
        ("1e-400", FORMAT),
        ("1e99999999999999999999", FORMAT),
        ("9" * 39, DIGITS),
        ("1e38", DIGITS),
        ("9" * 4000, DIGITS),
        ("0.1234567890123456789", FRACTION),
        ("1e-19", FRACTION),
    ],
)
def test_a_json_number_that_is_no_money_is_invalid(number: str, problem: str) -> None:
    refusal = read_number(number)
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.detail) == ("invalid", f"amount: {problem}")


def test_a_json_number_of_10000_digits_is_refused_without_a_crash() -> None:
    assert isinstance(read_number("9" * 10_000), Refusal)


@pytest.mark.parametrize("value", [True, None, [], {}, [1]])
def test_what_is_neither_string_nor_number_is_invalid(value: object) -> None:
    refusal = parse_event(TypeAdapter(object).dump_json(place_fields(amount=value)))
    assert isinstance(refusal, Refusal)
    assert refusal.detail == "amount: must be a string"


@pytest.mark.parametrize("value", ["1e3", "0.1", "-2.5", "123E-5", "1e22", "0.0"])
def test_plain_decimal_keeps_the_value(value: str) -> None:
    assert Decimal(plain_decimal(value)) == Decimal(value)


@pytest.mark.parametrize("value", ["NaN", "inf", "x", "1e400", "1e-400", "1e999999999"])
def test_plain_decimal_leaves_what_it_cannot_write_as_it_is(value: str) -> None:
    assert plain_decimal(value) == value
