"""Event times: RFC 3339 outside, microseconds inside."""

import pytest

from processor.wire.timestamp import MAX_TIME_US, format_time, parse_time, record_time_us

NOON_US = 1_769_860_800_000_000  # 2026-01-31T12:00:00Z


@pytest.mark.parametrize(
    ("text", "time_us"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-01-31T12:00:00Z", NOON_US),
        ("2026-01-31t12:00:00z", NOON_US),
        ("2026-01-31T12:00:00.5Z", NOON_US + 500_000),
        ("2026-01-31T12:00:00.123456Z", NOON_US + 123_456),
        ("2026-01-31T13:00:00+01:00", NOON_US),
        ("2026-01-31T06:30:00-05:30", NOON_US),
        ("2026-01-31T12:00:00-00:00", NOON_US),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
        ("9999-12-31T23:59:59.999999Z", MAX_TIME_US),
    ],
)
def test_a_time_with_a_zone_is_read(text: str, time_us: int) -> None:
    assert parse_time(text) == time_us


def test_digits_finer_than_a_microsecond_are_cut() -> None:
    assert parse_time("2026-01-31T12:00:00.1234569999Z") == NOON_US + 123_456


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-01-31 12:00:00Z",
        "2026-01-31T12:00Z",
        "2026-01-31T12:00:00+01",
        "2026-01-31T12:00:00+0100",
        "2026-01-31T12:00:00,5Z",
        "2026-01-31T12:00:00.Z",
        "2026-01-31T12:00:00Z\n",
        " 2026-01-31T12:00:00Z",
        "+02026-01-31T12:00:00Z",
        "٢٠٢٦-01-31T12:00:00Z",
        "1769860800",
    ],
)
def test_a_text_of_another_form_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="must be an RFC 3339 time with a zone, such as 2026-"):
        parse_time(text)


@pytest.mark.parametrize(
    "text",
    [
        "2016-12-31T23:59:60Z",  # a leap second: no number of microseconds stands for it
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:60:00Z",
        "2026-01-31T12:00:00+24:00",
        "2026-01-31T12:00:00+00:60",
        "0000-01-01T00:00:00Z",
    ],
)
def test_a_time_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be (a time that exists|an RFC 3339 time)"):
        parse_time(text)


@pytest.mark.parametrize(
    "text",
    ["1969-12-31T23:59:59.999999Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-00:01"],
)
def test_a_time_outside_1970_to_9999_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must lie in the years 1970 to 9999"):
        parse_time(text)


@pytest.mark.parametrize(
    ("time_us", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (NOON_US, "2026-01-31T12:00:00.000Z"),
        (NOON_US + 7000, "2026-01-31T12:00:00.007Z"),
        (NOON_US + 7001, "2026-01-31T12:00:00.007001Z"),
        (NOON_US + 1, "2026-01-31T12:00:00.000001Z"),
        (MAX_TIME_US, "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_a_time_is_written_in_utc_with_3_or_6_digits(time_us: int, text: str) -> None:
    assert format_time(time_us) == text


@pytest.mark.parametrize(
    ("timestamp_ms", "time_us"),
    [
        (0, 0),
        (1_769_860_800_123, NOON_US + 123_000),
        (-1, 0),
        (-(2**63), 0),
        (MAX_TIME_US // 1000 + 1, MAX_TIME_US),
        (2**63 - 1, MAX_TIME_US),
    ],
)
def test_a_kafka_timestamp_is_held_within_what_can_be_written(
    timestamp_ms: int, time_us: int
) -> None:
    assert record_time_us(timestamp_ms) == time_us
    assert parse_time(format_time(time_us)) == time_us
