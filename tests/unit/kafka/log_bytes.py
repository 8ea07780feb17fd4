"""Record batches as bytes, written by rules of their own."""

import struct
from collections.abc import Sequence

from aiokafka.record.util import calc_crc32c

Header = tuple[bytes, bytes | None]
ABORT = 0
COMMIT = 1


def varint(value: int) -> bytes:
    """Zigzag, seven bits a byte, the lowest first."""
    left = (value << 1) ^ (value >> 63)
    found = bytearray()
    while left > 0x7F:
        found.append(left & 0x7F | 0x80)
        left >>= 7
    found.append(left)
    return bytes(found)


def sized(data: bytes | None) -> bytes:
    """With its length before it."""
    return varint(-1) if data is None else varint(len(data)) + data


def record(
    delta: int, key: bytes | None, value: bytes | None, headers: Sequence[Header] = ()
) -> bytes:
    """A record of format 2, ``delta`` after the first offset and the first timestamp."""
    names = b"".join(sized(name) + sized(content) for name, content in headers)
    body = b"\0" + varint(delta) * 2 + sized(key) + sized(value) + varint(len(headers)) + names
    return varint(len(body)) + body


def batch(
    base_offset: int,
    records: Sequence[bytes],
    *,
    last_delta: int | None = None,
    producer_id: int = -1,
    attributes: int = 0,
    payload: bytes | None = None,
    first_timestamp: int = 1_000,
    max_timestamp: int = 2_000,
) -> bytes:
    """A batch of format 2; ``payload`` stands for compressed records."""
    delta = max(len(records) - 1, 0) if last_delta is None else last_delta
    tail = struct.pack(
        ">hiqqqhii",
        attributes,
        delta,
        first_timestamp,
        max_timestamp,
        producer_id,
        0,
        0,
        len(records),
    ) + (b"".join(records) if payload is None else payload)
    checked = struct.pack(">ibI", 0, 2, calc_crc32c(tail)) + tail
    return struct.pack(">qi", base_offset, len(checked)) + checked


def plain(base_offset: int, *values: bytes) -> bytes:
    """A batch of no transaction."""
    return batch(base_offset, [record(at, None, value) for at, value in enumerate(values)])


def in_transaction(base_offset: int, producer_id: int, *values: bytes) -> bytes:
    """A batch of a producer's transaction."""
    records = [record(at, None, value) for at, value in enumerate(values)]
    return batch(base_offset, records, producer_id=producer_id, attributes=0x10)


def marker(offset: int, producer_id: int, kind: int) -> bytes:
    """A control batch that ends a transaction."""
    end = record(0, struct.pack(">hh", 0, kind), struct.pack(">hi", 0, 1))
    return batch(offset, [end], producer_id=producer_id, attributes=0x30)


def old_message(offset: int, value: bytes, magic: int = 1) -> bytes:
    """A message of format 0 or 1, with a checksum that is not looked at here."""
    timestamp = struct.pack(">q", 5) if magic else b""
    body = struct.pack(">Ibb", 0, magic, 0) + timestamp
    body += struct.pack(">i", -1) + struct.pack(">i", len(value)) + value
    return struct.pack(">qi", offset, len(body)) + body


def is_intact(data: memoryview, magic: int) -> bool:
    """Whether a batch's checksum fits."""
    return magic < 2 or bool(struct.unpack_from(">I", data, 17)[0] == calc_crc32c(bytes(data[21:])))
