"""What the coordinator knows of a transactional id: a request that aiokafka does not have."""

from dataclasses import dataclass
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import CoordinationType
from aiokafka.errors import IncompatibleBrokerVersion
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

from processor.kafka.passing import raise_for

_NO_SUCH_ID: Final = 105


class _DescribeTransactionsResponseV0(Response):
    API_KEY = 65
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "transaction_states",
            CompactArray(
                ("error_code", Int16),
                ("transactional_id", CompactString("utf-8")),
                ("transaction_state", CompactString("utf-8")),
                ("transaction_timeout_ms", Int32),
                ("transaction_start_time_ms", Int64),
                ("producer_id", Int64),
                ("producer_epoch", Int16),
                (
                    "topics",
                    CompactArray(
                        ("topic", CompactString("utf-8")),
                        ("partitions", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _DescribeTransactionsRequestV0(RequestStruct):
    FLEXIBLE_VERSION = True
    API_KEY = 65
    API_VERSION = 0
    RESPONSE_TYPE = _DescribeTransactionsResponseV0
    SCHEMA = Schema(
        ("transactional_ids", CompactArray(CompactString("utf-8"))), ("tags", TaggedFields)
    )


class _DescribeTransactionsRequest(Request[_DescribeTransactionsRequestV0]):
    API_KEY = 65

    def __init__(self, transactional_id: str) -> None:
        self._transactional_id = transactional_id

    def build(
        self, request_struct_class: type[_DescribeTransactionsRequestV0]
    ) -> _DescribeTransactionsRequestV0:
        return request_struct_class([self._transactional_id], {})


@dataclass(frozen=True, slots=True)
class TransactionState:
    """A transactional id's last transaction.

    ``name`` is the broker's, such as ``Ongoing`` or ``CompleteCommit``, and empty from a broker
    that cannot tell (before Kafka 3.0); ``timeout_ms`` is what its owner asked for.
    """

    name: str
    timeout_ms: int


async def find_transaction_coordinator(admin: AIOKafkaAdminClient, transactional_id: str) -> int:
    """The node that coordinates the transactions of an id.

    Raises:
        KafkaError: no broker says; one that is retriable is passing.
    """
    return await admin.find_coordinator(transactional_id, CoordinationType.TRANSACTION)


async def describe_transaction(
    admin: AIOKafkaAdminClient, coordinator: int, transactional_id: str
) -> TransactionState | None:
    """Ask the coordinator once; None if it does not know the id.

    Raises:
        KafkaError: it does not say; one that is retriable is passing.
    """
    request = _DescribeTransactionsRequest(transactional_id)
    try:
        response: Any = await admin._send_request(request, coordinator)
    except IncompatibleBrokerVersion:
        return TransactionState("", 0)
    ((error_code, _id, name, timeout_ms, *_),) = response.transaction_states
    if error_code == _NO_SUCH_ID:
        return None
    raise_for(error_code)
    return TransactionState(name, timeout_ms)
