"""EndTxn, version 5: raises the producer epoch, and tells the producer of the next transaction."""

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)


class EndTxnResponseV5(Response):
    """The producer of the next transaction."""

    API_KEY = 26
    API_VERSION = 5
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        ("tags", TaggedFields),
    )


class EndTxnRequestV5(RequestStruct):
    """The request of version 5."""

    FLEXIBLE_VERSION = True
    API_KEY = 26
    API_VERSION = 5
    RESPONSE_TYPE = EndTxnResponseV5
    SCHEMA = Schema(
        ("transactional_id", CompactString("utf-8")),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        ("committed", Boolean),
        ("tags", TaggedFields),
    )


class EndTxnV5(Request[EndTxnRequestV5]):
    """End a transaction with version 5."""

    API_KEY = 26

    def __init__(
        self, transactional_id: str, producer_id: int, producer_epoch: int, *, committed: bool
    ) -> None:
        self._fields = transactional_id, producer_id, producer_epoch, committed

    def build(self, request_struct_class: type[EndTxnRequestV5]) -> EndTxnRequestV5:
        """The request of version 5."""
        return request_struct_class(*self._fields, {})
