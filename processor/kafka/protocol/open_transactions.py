"""DescribeProducers and ListTransactions (KIP-664): whose transactions are open in a partition."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

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


class DescribeProducersResponseV0(Response):
    """An answer of a partition's leader."""

    API_KEY = 61
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            CompactArray(
                ("name", CompactString("utf-8")),
                (
                    "partitions",
                    CompactArray(
                        ("partition", Int32),
                        ("error_code", Int16),
                        ("error_message", CompactString("utf-8")),
                        (
                            "active_producers",
                            CompactArray(
                                ("producer_id", Int64),
                                ("producer_epoch", Int32),
                                ("last_sequence", Int32),
                                ("last_timestamp", Int64),
                                ("coordinator_epoch", Int32),
                                ("current_txn_start_offset", Int64),
                                ("tags", TaggedFields),
                            ),
                        ),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _DescribeProducersRequestV0(RequestStruct):
    FLEXIBLE_VERSION = True
    API_KEY = 61
    API_VERSION = 0
    RESPONSE_TYPE = DescribeProducersResponseV0
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(
                ("name", CompactString("utf-8")),
                ("partitions", CompactArray(Int32)),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class DescribeProducersRequest(Request[_DescribeProducersRequestV0]):
    """A request to a leader for the producers of its partitions."""

    API_KEY = 61

    def __init__(self, partitions: Mapping[str, Sequence[int]]) -> None:
        self._partitions = partitions

    def build(
        self, request_struct_class: type[_DescribeProducersRequestV0]
    ) -> _DescribeProducersRequestV0:
        """Part of `Request`."""
        return request_struct_class(
            [(topic, list(some), {}) for topic, some in self._partitions.items()], {}
        )


def open_producers_of(response: Any) -> Iterator[int]:
    """The ids of the producers in an answer that have an open transaction."""
    for _topic, partitions, _tags in response.topics:
        for _partition, _error_code, _message, producers, _ in partitions:
            for producer_id, *_, start_offset, _ in producers:
                if start_offset >= 0:
                    yield producer_id


class ListTransactionsResponseV0(Response):
    """An answer of a transaction coordinator."""

    API_KEY = 66
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("unknown_state_filters", CompactArray(CompactString("utf-8"))),
        (
            "transaction_states",
            CompactArray(
                ("transactional_id", CompactString("utf-8")),
                ("producer_id", Int64),
                ("transaction_state", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _ListTransactionsRequestV0(RequestStruct):
    FLEXIBLE_VERSION = True
    API_KEY = 66
    API_VERSION = 0
    RESPONSE_TYPE = ListTransactionsResponseV0
    SCHEMA = Schema(
        ("state_filters", CompactArray(CompactString("utf-8"))),
        ("producer_id_filters", CompactArray(Int64)),
        ("tags", TaggedFields),
    )


class ListTransactionsRequest(Request[_ListTransactionsRequestV0]):
    """A request to a broker for the transactions of some producers that it coordinates."""

    API_KEY = 66

    def __init__(self, producer_ids: Sequence[int]) -> None:
        self._producer_ids = producer_ids

    def build(
        self, request_struct_class: type[_ListTransactionsRequestV0]
    ) -> _ListTransactionsRequestV0:
        """Part of `Request`."""
        return request_struct_class([], list(self._producer_ids), {})


def transactional_ids_of(response: Any) -> Iterator[str]:
    """The transactional ids in an answer."""
    for transactional_id, *_ in response.transaction_states:
        yield transactional_id
