"""Produce, versions 8 and 12, encoded with one copy of the record batches.

Version 8 is the last before flexible ones. Version 12 tells the broker that the client speaks
version 2 of the transaction protocol, so the caller chooses and not the connection.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.produce import ProduceResponse_v8
from aiokafka.protocol.types import (
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    String,
    TaggedFields,
    UnsignedVarInt32,
)

_ALL_REPLICAS: Final = -1
_NO_TAGS: Final = b"\0"
_string: Final = String("utf-8").encode
_compact_string: Final = CompactString("utf-8").encode
_ACKS_AND_TIMEOUT: Final = struct.Struct(">hi").pack
_INT32: Final = struct.Struct(">i").pack
_PARTITION_AND_SIZE: Final = struct.Struct(">ii").pack

Batch = bytes | bytearray


@dataclass(frozen=True, slots=True)
class Writes:
    """The batches to write: one for each partition of each topic."""

    transactional_id: str | None
    timeout_ms: int
    topics: Mapping[str, Sequence[tuple[int, Batch]]]


class ProduceRequestV8(RequestStruct):
    """The request of version 8; all replicas in sync must have the records."""

    API_KEY = 0
    API_VERSION = 8
    RESPONSE_TYPE = ProduceResponse_v8
    SCHEMA = Schema()

    def __init__(self, writes: Writes) -> None:
        super().__init__()
        self._writes = writes

    def encode(self) -> bytes:
        """All of it at once: each schema of the library copies what is in it."""
        writes = self._writes
        parts: list[Batch] = [
            _string(writes.transactional_id),
            _ACKS_AND_TIMEOUT(_ALL_REPLICAS, writes.timeout_ms),
            _INT32(len(writes.topics)),
        ]
        for topic, batches in writes.topics.items():
            parts += (_string(topic), _INT32(len(batches)))
            for partition, batch in batches:
                parts += (_PARTITION_AND_SIZE(partition, len(batch)), batch)
        return b"".join(parts)


class ProduceResponseV12(Response):
    """The offsets, or error codes, of all partitions."""

    API_KEY = 0
    API_VERSION = 12
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(
                ("topic", CompactString("utf-8")),
                (
                    "partitions",
                    CompactArray(
                        ("partition", Int32),
                        ("error_code", Int16),
                        ("offset", Int64),
                        ("timestamp", Int64),
                        ("log_start_offset", Int64),
                        (
                            "record_errors",
                            CompactArray(
                                ("batch_index", Int32),
                                ("batch_index_error_message", CompactString("utf-8")),
                                ("tags", TaggedFields),
                            ),
                        ),
                        ("error_message", CompactString("utf-8")),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("throttle_time_ms", Int32),
        ("tags", TaggedFields),
    )


class ProduceRequestV12(RequestStruct):
    """The request of version 12; all replicas in sync must have the records."""

    FLEXIBLE_VERSION = True
    API_KEY = 0
    API_VERSION = 12
    RESPONSE_TYPE = ProduceResponseV12
    SCHEMA = Schema()

    def __init__(self, writes: Writes) -> None:
        super().__init__()
        self._writes = writes

    def encode(self) -> bytes:
        """All of it at once: each schema of the library copies what is in it."""
        writes, count = self._writes, UnsignedVarInt32.encode
        parts: list[Batch] = [
            _compact_string(writes.transactional_id),
            _ACKS_AND_TIMEOUT(_ALL_REPLICAS, writes.timeout_ms),
            count(len(writes.topics) + 1),
        ]
        for topic, batches in writes.topics.items():
            parts += (_compact_string(topic), count(len(batches) + 1))
            for partition, batch in batches:
                parts += (_INT32(partition), count(len(batch) + 1), batch, _NO_TAGS)
            parts.append(_NO_TAGS)
        parts.append(_NO_TAGS)
        return b"".join(parts)


class ProduceV8(Request[ProduceRequestV8]):
    """Write with version 8."""

    API_KEY = 0

    def __init__(self, writes: Writes) -> None:
        self._writes = writes

    def build(self, request_struct_class: type[ProduceRequestV8]) -> ProduceRequestV8:
        """The request of version 8."""
        return request_struct_class(self._writes)


class ProduceV12(Request[ProduceRequestV12]):
    """Write with version 12."""

    API_KEY = 0

    def __init__(self, writes: Writes) -> None:
        self._writes = writes

    def build(self, request_struct_class: type[ProduceRequestV12]) -> ProduceRequestV12:
        """The request of version 12."""
        return request_struct_class(self._writes)
