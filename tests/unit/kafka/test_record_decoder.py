"""The lenient decoder, with aiokafka's as the judge."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from aiokafka.codec import gzip_encode, lz4_encode, snappy_encode, zstd_encode
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch
from hypothesis import given
from hypothesis import strategies as st

from processor.kafka.batch_records import is_intact, lenient_records_from, records_from
from processor.kafka.fetching.committed import CommittedBatch
from tests.unit.kafka.log_bytes import batch, old_message, plain, record

MAYBE_BYTES = st.none() | st.binary(max_size=200)
NAMES = st.text(max_size=5).map(lambda text: text.encode())
RECORDS = st.tuples(MAYBE_BYTES, MAYBE_BYTES, st.lists(st.tuples(NAMES, MAYBE_BYTES), max_size=3))


def committed(data: bytes, magic: int = 2) -> CommittedBatch:
    base = int.from_bytes(data[:8], "big")
    return CommittedBatch(base, base + 100, magic, data)


def fields(records: object) -> list[tuple[object, ...]]:
    return [
        (one.offset, one.timestamp, one.key, one.value, one.headers)
        for one in records  # type: ignore[attr-defined]
    ]


@given(st.lists(RECORDS, max_size=5), st.sampled_from((0, 8)))
def test_it_decodes_what_the_other_decodes(written: list[tuple[object, ...]], kind: int) -> None:
    records = [record(at, *one) for at, one in enumerate(written)]  # type: ignore[arg-type]
    data = batch(7, records, attributes=kind)
    expected = fields(DefaultRecordBatch(data))
    assert fields(lenient_records_from(committed(data), 0)) == expected
    assert fields(records_from(committed(data), 0)) == expected


@pytest.mark.parametrize(
    ("codec", "compress"),
    [(0, bytes), (1, gzip_encode), (2, snappy_encode), (3, lz4_encode), (4, zstd_encode)],
)
def test_it_decompresses(codec: int, compress: Callable[[bytes], bytes]) -> None:
    records = [record(0, b"k", b"v" * 50), record(1, b"k", b"w" * 50)]
    data = batch(7, records, attributes=codec, payload=compress(b"".join(records)))
    assert fields(lenient_records_from(committed(data), 0)) == fields(DefaultRecordBatch(data))


def test_names_that_are_no_utf8_are_replaced() -> None:
    data = batch(7, [record(0, None, b"v", [(b"a\xffb", b"1"), ("ä".encode(), None)])])
    with pytest.raises(UnicodeDecodeError):
        list(records_from(committed(data), 0))
    (found,) = lenient_records_from(committed(data), 0)
    assert found.headers == [("a\\xffb", b"1"), ("ä", None)]


@pytest.mark.parametrize("decode", [records_from, lenient_records_from])
def test_records_before_the_offset_are_left_out(
    decode: Callable[[CommittedBatch, int], object],
) -> None:
    data = plain(7, b"1", b"2", b"3")
    for offset, expected in ((0, [7, 8, 9]), (7, [7, 8, 9]), (8, [8, 9]), (10, [])):
        assert [one[0] for one in fields(decode(committed(data), offset))] == expected


@given(st.binary(max_size=30), st.integers(0, 90), st.integers(0, 255))
def test_what_is_no_record_is_corrupt_and_nothing_else(junk: bytes, at: int, byte: int) -> None:
    data = bytearray(batch(7, [record(0, b"key", b"value", [(b"h", b"1")])]) + junk)
    data[61 + at % (len(data) - 61)] = byte
    with suppress(CorruptRecordException):
        list(lenient_records_from(committed(bytes(data)), 0))


def test_a_record_that_is_longer_than_it_says_is_corrupt() -> None:
    data = bytearray(batch(7, [record(0, b"key", b"value")]))
    data[61] += 2
    with pytest.raises(CorruptRecordException, match="past its end"):
        lenient_records_from(committed(bytes(data)), 0)


def test_a_field_that_is_cut_off_is_corrupt() -> None:
    data = batch(7, [record(0, b"key", b"value")])[:-3]
    with pytest.raises(CorruptRecordException, match="before the end"):
        lenient_records_from(committed(data), 0)


def test_an_unknown_codec_is_corrupt() -> None:
    with pytest.raises(CorruptRecordException):
        lenient_records_from(committed(batch(7, [record(0, None, None)], attributes=5)), 0)


@pytest.mark.parametrize("magic", [0, 1])
def test_messages_of_the_old_formats_are_decoded(magic: int) -> None:
    (found,) = records_from(committed(old_message(7, b"v", magic), magic), 0)
    assert (found.offset, found.key, found.value, list(found.headers)) == (7, None, b"v", [])


def test_checksums_of_both_formats_are_looked_at() -> None:
    data = bytearray(plain(0, b"v"))
    assert is_intact(memoryview(data), 2)
    data[-1] ^= 1
    assert not is_intact(memoryview(data), 2)
    assert not is_intact(memoryview(old_message(0, b"v")), 1)
