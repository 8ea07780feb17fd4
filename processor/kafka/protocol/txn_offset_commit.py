"""TxnOffsetCommit, versions 3 and 5.

Version 3 is the first that tells member and generation. Version 5 adds the group's offsets to the
transaction by itself, so the caller chooses and not the connection.
"""

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)


class TxnOffsetCommitResponseV3(Response):
    """The error codes of all partitions."""

    API_KEY = 28
    API_VERSION = 3
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            CompactArray(
                ("topic", CompactString("utf-8")),
                (
                    "partitions",
                    CompactArray(
                        ("partition", Int32), ("error_code", Int16), ("tags", TaggedFields)
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class TxnOffsetCommitResponseV5(TxnOffsetCommitResponseV3):
    """The same."""

    API_VERSION = 5


class TxnOffsetCommitRequestV3(RequestStruct):
    """The request of version 3."""

    FLEXIBLE_VERSION = True
    API_KEY = 28
    API_VERSION = 3
    RESPONSE_TYPE = TxnOffsetCommitResponseV3
    SCHEMA = Schema(
        ("transactional_id", CompactString("utf-8")),
        ("group_id", CompactString("utf-8")),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        ("generation_id", Int32),
        ("member_id", CompactString("utf-8")),
        ("group_instance_id", CompactString("utf-8")),
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
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class TxnOffsetCommitRequestV5(TxnOffsetCommitRequestV3):
    """The request of version 5: the same, but its number."""

    API_VERSION = 5
    RESPONSE_TYPE = TxnOffsetCommitResponseV5


class TxnOffsetCommitV3(Request[TxnOffsetCommitRequestV3]):
    """Commit offsets with version 3."""

    API_KEY = 28

    def __init__(self, *fields: object) -> None:
        self._fields = fields

    def build(
        self, request_struct_class: type[TxnOffsetCommitRequestV3]
    ) -> TxnOffsetCommitRequestV3:
        """The request of version 3."""
        return request_struct_class(*self._fields)


class TxnOffsetCommitV5(Request[TxnOffsetCommitRequestV5]):
    """Commit offsets with version 5."""

    API_KEY = 28

    def __init__(self, *fields: object) -> None:
        self._fields = fields

    def build(
        self, request_struct_class: type[TxnOffsetCommitRequestV5]
    ) -> TxnOffsetCommitRequestV5:
        """The request of version 5."""
        return request_struct_class(*self._fields)
