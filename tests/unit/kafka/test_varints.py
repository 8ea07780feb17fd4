"""Variable-length integers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.kafka.fetching.varints import unsigned_varint, varint
from tests.unit.kafka.log_bytes import varint as written


@given(st.integers(-(2**63), 2**63 - 1))
def test_what_was_written_is_read(value: int) -> None:
    data = b"\xff" + written(value) + b"\xff"
    assert varint(data, 1) == (value, len(data) - 1)


@pytest.mark.parametrize(
    ("data", "value"), [(b"\x00", 0), (b"\x7f", 127), (b"\x80\x01", 128), (b"\xff\xff\x03", 65535)]
)
def test_unsigned_integers_have_no_zigzag(data: bytes, value: int) -> None:
    assert unsigned_varint(data, 0) == (value, len(data))


def test_an_integer_of_more_than_64_bits_is_none() -> None:
    assert unsigned_varint(b"\xff" * 9 + b"\x01", 0)[0] == 2**64 - 1
    with pytest.raises(ValueError, match="64 bits"):
        unsigned_varint(b"\xff" * 10 + b"\x01", 0)


def test_an_integer_that_is_cut_off_is_an_error() -> None:
    with pytest.raises(IndexError):
        unsigned_varint(b"\x80", 0)
