"""OffsetFetch, version 7: a group's offsets that no open transaction can still change (KIP-447)."""

from typing import Any

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)


class OffsetFetchResponseV7(Response):
    """An answer."""

    API_KEY = 9
    API_VERSION = 7
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            CompactArray(
                ("topic", CompactString("utf-8")),
                (
                    "partitions",
                    CompactArray(
                        ("partition", Int32),
                        ("offset", Int64),
                        ("leader_epoch", Int32),
                        ("metadata", CompactString("utf-8")),
                        ("error_code", Int16),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("error_code", Int16),
        ("tags", TaggedFields),
    )


class _OffsetFetchRequestV7(RequestStruct):
    FLEXIBLE_VERSION = True
    API_KEY = 9
    API_VERSION = 7
    RESPONSE_TYPE = OffsetFetchResponseV7
    SCHEMA = Schema(
        ("group", CompactString("utf-8")),
        (
            "topics",
            CompactArray(
                ("topic", CompactString("utf-8")),
                ("partitions", CompactArray(Int32)),
                ("tags", TaggedFields),
            ),
        ),
        ("require_stable", Boolean),
        ("tags", TaggedFields),
    )


class OffsetFetchRequest(Request[_OffsetFetchRequestV7]):
    """A request to a group's coordinator for the stable offset of one partition."""

    API_KEY = 9

    def __init__(self, group_id: str, topic: str, partition: int) -> None:
        self._group_id = group_id
        self._topic = topic
        self._partition = partition

    def build(self, request_struct_class: type[_OffsetFetchRequestV7]) -> _OffsetFetchRequestV7:
        """Part of `Request`."""
        return request_struct_class(
            self._group_id, [(self._topic, [self._partition], {})], True, {}
        )


def stable_offset_of(response: Any) -> tuple[int, int]:
    """The error code of an answer and the offset in it, -1 if there is none."""
    if response.error_code or not response.topics:
        return response.error_code, -1
    [(_topic, [(_partition, offset, _epoch, _metadata, error_code, _tags)], _)] = response.topics
    return error_code, offset
