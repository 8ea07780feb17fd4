"""Records of fetched batches, decoded by aiokafka's C code."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, dropwhile
from typing import Any, Final, Protocol

from aiokafka.codec import gzip_decode, lz4_decode, snappy_decode, zstd_decode
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.legacy_records import LegacyRecordBatch

from processor.kafka.fetching.committed import CommittedBatch
from processor.kafka.record_decoder import HEADER_BYTES, codec_of, decode_records

_MAGIC_V2: Final = 2

_DECOMPRESS: Final[dict[int, Callable[[bytes], bytes]]] = {
    0: bytes,
    1: gzip_decode,
    2: snappy_decode,
    3: lz4_decode,
    4: zstd_decode,
}


class FetchedRecord(Protocol):
    """A record as read; ``timestamp`` in milliseconds since 1970-01-01T00:00:00Z."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


def is_intact(data: memoryview, magic: int) -> bool:
    """Whether a batch's checksum fits."""
    batch: Any = DefaultRecordBatch(data) if magic >= _MAGIC_V2 else LegacyRecordBatch(data, magic)
    return bool(batch.validate_crc())


def records_from(batch: CommittedBatch, offset: int) -> Iterator[FetchedRecord]:
    """The records of a batch from an offset on, each decoded when it is asked for.

    Raises:
        UnicodeDecodeError: a header name is no UTF-8: see `lenient_records_from`.
        CorruptRecordException: it cannot be decoded.
    """
    decoder: Any = (
        DefaultRecordBatch(batch.data)
        if batch.magic >= _MAGIC_V2
        else LegacyRecordBatch(batch.data, batch.magic)
    )
    # The C iterator must not be asked again after its end; a chain does not.
    return _skip_to(offset, batch, chain(decoder))


def lenient_records_from(batch: CommittedBatch, offset: int) -> Iterator[FetchedRecord]:
    """The same for a batch with header names that are no UTF-8.

    Raises:
        CorruptRecordException: it cannot be decoded.
    """
    try:
        records = _DECOMPRESS[codec_of(batch.data)](batch.data[HEADER_BYTES:])
        found = list(decode_records(batch.data, records))
    except (ValueError, IndexError, KeyError) as error:
        raise CorruptRecordException(f"at offset {batch.base_offset}: {error}") from error
    return _skip_to(offset, batch, iter(found))


def _skip_to(
    offset: int, batch: CommittedBatch, records: Iterator[FetchedRecord]
) -> Iterator[FetchedRecord]:
    if batch.base_offset >= offset and batch.magic >= _MAGIC_V2:
        return records
    return dropwhile(lambda record: record.offset < offset, records)
