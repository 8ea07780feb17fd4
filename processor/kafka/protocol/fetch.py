"""Fetch: version 13, which asks for topics by their ids, and 11, by their names.

Both sides are coded straight to and from bytes. A long poll is answered with each record that
comes, and for all its partitions; coded field by field, as aiokafka does it, that costs more than
all the rest.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import groupby
from operator import attrgetter
from struct import Struct
from typing import ClassVar, Final, Self

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Schema

from processor.kafka.fetching.values import (
    NO_RECORDS,
    AbortedTransaction,
    AskedPartition,
    Fetch,
    Fetched,
    FetchedPartition,
)
from processor.kafka.fetching.varints import unsigned_varint
from processor.kafka.protocol.uuids import NO_UUID, UUID_BYTES

_CONSUMER: Final = -1
_MIN_BYTES: Final = 1
_READ_COMMITTED: Final = 1
_UNKNOWN: Final = -1

_REQUEST: Final = Struct(">iiiibii")
# Partition, leader epoch, offset, the log's begin (a follower's), bytes.
_ASKED_V11: Final = Struct(">iiqqi")
# The same with the epoch of what was fetched last (a follower's), and the number of tags.
_ASKED_V13: Final = Struct(">iiqiqib")

_COUNT: Final = Struct(">i")
_LENGTH: Final = Struct(">h")
# Throttle time, error code, session id.
_RESPONSE: Final = Struct(">ihi")
# Partition, error code, high watermark, last stable offset, the log's begin.
_PARTITION: Final = Struct(">ihqqq")
_ABORTED: Final = Struct(">qq")
_PREFERRED_REPLICA_BYTES: Final = 4


def _runs(partitions: Sequence[AskedPartition]) -> list[list[AskedPartition]]:
    """Neighbours of the same topic together; who stands first is served first."""
    return [list(run) for _topic, run in groupby(partitions, attrgetter("topic"))]


def _begin(request: Fetch) -> bytes:
    return _REQUEST.pack(
        _CONSUMER,
        request.max_wait_ms,
        _MIN_BYTES,
        request.max_bytes,
        _READ_COMMITTED,
        request.session_id,
        request.session_epoch,
    )


def _encode_v11(request: Fetch) -> bytes:
    runs = _runs(request.partitions)
    parts = [_begin(request), _COUNT.pack(len(runs))]
    for run in runs:
        name = run[0].topic.encode()
        parts += _LENGTH.pack(len(name)), name, _COUNT.pack(len(run))
        for one in run:
            asked = (one.partition, one.leader_epoch, one.fetch_offset, _UNKNOWN, one.max_bytes)
            parts.append(_ASKED_V11.pack(*asked))
    forgotten = _runs(request.forgotten)
    parts.append(_COUNT.pack(len(forgotten)))
    for run in forgotten:
        name = run[0].topic.encode()
        parts += _LENGTH.pack(len(name)), name, _COUNT.pack(len(run))
        parts += [_COUNT.pack(one.partition) for one in run]
    # No rack.
    parts.append(_LENGTH.pack(0))
    return b"".join(parts)


def _encode_v13(request: Fetch) -> bytes:
    runs = _runs(request.partitions)
    parts = [_begin(request), _compact(len(runs))]
    for run in runs:
        parts += run[0].topic_id or NO_UUID, _compact(len(run))
        for one in run:
            at = (one.partition, one.leader_epoch, one.fetch_offset)
            parts.append(_ASKED_V13.pack(*at, _UNKNOWN, _UNKNOWN, one.max_bytes, 0))
        parts.append(b"\0")
    forgotten = _runs(request.forgotten)
    parts.append(_compact(len(forgotten)))
    for run in forgotten:
        parts += run[0].topic_id or NO_UUID, _compact(len(run))
        parts += [_COUNT.pack(one.partition) for one in run]
        parts.append(b"\0")
    # No rack, no tags.
    parts.append(b"\1\0")
    return b"".join(parts)


def _compact(count: int) -> bytes:
    left, found = count + 1, bytearray()
    while left > 0x7F:
        found.append(left & 0x7F | 0x80)
        left >>= 7
    found.append(left)
    return bytes(found)


@dataclass(frozen=True, slots=True)
class _Wire:
    """How a version writes counts, topics and tags; each function returns the index after it."""

    count: Callable[[bytes, int], tuple[int, int]]
    topic: Callable[[bytes, int], tuple[str | bytes, int]]
    skip_tags: Callable[[bytes, int], int]


def _decode(frame: bytes, at: int, wire: _Wire) -> Fetched:
    _throttle_ms, error_code, session_id = _RESPONSE.unpack_from(frame, at)
    num_topics, at = wire.count(frame, at + _RESPONSE.size)
    found = list[FetchedPartition]()
    for _ in range(num_topics):
        topic, at = wire.topic(frame, at)
        num_partitions, at = wire.count(frame, at)
        for _ in range(num_partitions):
            partition, at = _decode_partition(frame, at, topic, wire)
            found.append(partition)
        at = wire.skip_tags(frame, at)
    return Fetched(error_code, found, session_id)


def _decode_partition(
    frame: bytes, at: int, topic: str | bytes, wire: _Wire
) -> tuple[FetchedPartition, int]:
    partition, error_code, high, stable, _log_begin = _PARTITION.unpack_from(frame, at)
    num_aborted, at = wire.count(frame, at + _PARTITION.size)
    aborted: Sequence[AbortedTransaction] = ()
    # Null is -1.
    if num_aborted > 0:
        aborted, at = _decode_aborted(frame, at, num_aborted, wire)
    size, at = wire.count(frame, at + _PREFERRED_REPLICA_BYTES)
    records = memoryview(frame)[at : at + size] if size > 0 else NO_RECORDS
    found = FetchedPartition(topic, partition, error_code, high, stable, aborted, records)
    return found, wire.skip_tags(frame, at + max(size, 0))


def _decode_aborted(
    frame: bytes, at: int, count: int, wire: _Wire
) -> tuple[list[AbortedTransaction], int]:
    found = []
    for _ in range(count):
        found.append(AbortedTransaction(*_ABORTED.unpack_from(frame, at)))
        at = wire.skip_tags(frame, at + _ABORTED.size)
    return found, at


def _count(frame: bytes, at: int) -> tuple[int, int]:
    return _COUNT.unpack_from(frame, at)[0], at + _COUNT.size


def _compact_count(frame: bytes, at: int) -> tuple[int, int]:
    count, at = unsigned_varint(frame, at)
    return count - 1, at


def _topic_name(frame: bytes, at: int) -> tuple[str, int]:
    end: int = at + _LENGTH.size + _LENGTH.unpack_from(frame, at)[0]
    return frame[at + _LENGTH.size : end].decode(), end


def _topic_id(frame: bytes, at: int) -> tuple[bytes, int]:
    return frame[at : at + UUID_BYTES], at + UUID_BYTES


def _no_tags(_frame: bytes, at: int) -> int:
    return at


def _skip_tags(frame: bytes, at: int) -> int:
    count, at = unsigned_varint(frame, at)
    for _ in range(count):
        _tag, at = unsigned_varint(frame, at)
        size, at = unsigned_varint(frame, at)
        at += size
    return at


class FetchResponseV11(Response):
    """An answer by names; ``fetched`` has all of it."""

    API_KEY = 1
    API_VERSION = 11
    SCHEMA = Schema()
    WIRE: ClassVar = _Wire(_count, _topic_name, _no_tags)
    fetched: Fetched

    @classmethod
    def decode(cls, data: BytesIO | bytes) -> Self:
        """Decode bytes, or what is left of a stream."""
        found = cls()
        # getvalue() is the whole stream, without a copy.
        frame, at = (data, 0) if isinstance(data, bytes) else (data.getvalue(), data.tell())
        found.fetched = _decode(frame, at, cls.WIRE)
        return found


class FetchResponseV13(FetchResponseV11):
    """An answer by ids."""

    API_VERSION = 13
    WIRE = _Wire(_compact_count, _topic_id, _skip_tags)


class FetchRequestV11(RequestStruct):
    """A request by names."""

    API_KEY = 1
    API_VERSION = 11
    RESPONSE_TYPE = FetchResponseV11
    SCHEMA = Schema(("request", Schema()))

    def encode(self) -> bytes:
        """Part of `RequestStruct`."""
        return _encode_v11(self.get_item("request"))


class FetchRequestV13(RequestStruct):
    """A request by ids."""

    FLEXIBLE_VERSION = True
    API_KEY = 1
    API_VERSION = 13
    RESPONSE_TYPE = FetchResponseV13
    SCHEMA = Schema(("request", Schema()))

    def encode(self) -> bytes:
        """Part of `RequestStruct`."""
        return _encode_v13(self.get_item("request"))


class FetchRequest(Request[FetchRequestV11 | FetchRequestV13]):
    """A Fetch request in the newest version that the broker has and the ids allow.

    Attributes:
        request: what is asked.
    """

    API_KEY = 1

    def __init__(self, request: Fetch) -> None:
        self.request = request

    def prepare(self, versions: dict[int, tuple[int, int]]) -> FetchRequestV11 | FetchRequestV13:
        """Part of `Request`: one topic without an id, and all go by their names."""
        if not self.request.by_id:
            oldest, newest = versions[self.API_KEY]
            versions = {self.API_KEY: (oldest, min(newest, FetchRequestV11.API_VERSION))}
        return super().prepare(versions)

    def build(
        self, request_struct_class: type[FetchRequestV11 | FetchRequestV13]
    ) -> FetchRequestV11 | FetchRequestV13:
        """Part of `Request`."""
        return request_struct_class(self.request)
