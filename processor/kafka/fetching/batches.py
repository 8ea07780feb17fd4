"""Record batches, told apart by their headers alone.

The first fields of all formats are the same: offset, length and, at byte 16, the format ("magic").
Formats 0 and 1 have one message, or a compressed one that wraps others, where format 2 has a batch;
their offset is that of the last message, and they know no producer.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from processor.kafka.fetching.varints import varint

_PREFIX: Final = struct.Struct(">qi")
_MAGIC_AT: Final = 16
_MAGIC_V2: Final = 2
# Attributes, offset of the last record; producer id and record count follow.
_ATTRIBUTES: Final = struct.Struct(">hi")
_ATTRIBUTES_AT: Final = 21
_PRODUCER_ID: Final = struct.Struct(">q")
_PRODUCER_ID_AT: Final = 43
_COUNT: Final = struct.Struct(">i")
_COUNT_AT: Final = 57
_HEADER_BYTES: Final = 61
_SHORTEST_BYTES: Final = 26
"""A message of format 0 without key and value."""

_TRANSACTIONAL: Final = 0x10
_CONTROL: Final = 0x20
_MARKER: Final = struct.Struct(">hh")
_ABORT: Final = 0


class CorruptBatch(Exception):
    """Bytes that are no record batch."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A whole record batch and what its header says. ``producer_id`` is -1 where it has none."""

    base_offset: int
    next_offset: int
    magic: int
    count: int
    producer_id: int
    is_transactional: bool
    is_control: bool
    data: memoryview


def split_batches(records: memoryview) -> Iterator[Batch]:
    """The whole batches of a partition's records; a partial last one is left out.

    Raises:
        CorruptBatch: a length that cannot be.
    """
    begin, end = 0, len(records)
    while begin + _PREFIX.size <= end:
        size = _size_at(records, begin)
        if begin + size > end:
            return
        yield _batch(records[begin : begin + size])
        begin += size


def _size_at(records: memoryview, begin: int) -> int:
    length: int = _PREFIX.unpack_from(records, begin)[1]
    if _PREFIX.size + length < _SHORTEST_BYTES:
        raise CorruptBatch(f"a record batch of {_PREFIX.size + length} bytes")
    return _PREFIX.size + length


def _batch(data: memoryview) -> Batch:
    offset: int = _PREFIX.unpack_from(data)[0]
    magic = data[_MAGIC_AT]
    if magic < _MAGIC_V2:
        return Batch(offset, offset + 1, magic, 1, -1, False, False, data)
    if len(data) < _HEADER_BYTES:
        raise CorruptBatch(f"a record batch of {len(data)} bytes")
    attributes, last_delta = _ATTRIBUTES.unpack_from(data, _ATTRIBUTES_AT)
    return Batch(
        base_offset=offset,
        next_offset=offset + last_delta + 1,
        magic=magic,
        count=_COUNT.unpack_from(data, _COUNT_AT)[0],
        producer_id=_PRODUCER_ID.unpack_from(data, _PRODUCER_ID_AT)[0],
        is_transactional=bool(attributes & _TRANSACTIONAL),
        is_control=bool(attributes & _CONTROL),
        data=data,
    )


def is_abort_marker(batch: Batch) -> bool:
    """Whether a control batch ends a transaction by aborting it.

    Raises:
        CorruptBatch: its record cannot be decoded.
    """
    if batch.count < 1:
        return False
    data = batch.data
    try:
        _length, at = varint(data, _HEADER_BYTES)
        _timestamp, at = varint(data, at + 1)
        _offset, at = varint(data, at)
        _key_bytes, at = varint(data, at)
        _version, kind = _MARKER.unpack_from(data, at)
    except (IndexError, ValueError, struct.error) as error:
        raise CorruptBatch(f"a control batch that cannot be decoded: {error}") from error
    return bool(kind == _ABORT)
