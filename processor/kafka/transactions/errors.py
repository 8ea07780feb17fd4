"""The meaning of each error code for the request that it answers.

| remedy | what follows |
|---|---|
| DONE | the request was taken |
| WAIT | the transaction before is not complete: ask again after 1 ms, doubling |
| RETRY | ask the same broker again, after a longer pause |
| MISSING | the same for a topic that is not known, but only for a bounded time: then ABORT |
| MOVED | look up the coordinator, or the leader, and ask again |
| REPEATED | the broker has the batch already: success if we may have sent it before |
| ABORT | the transaction ends by an abort, and the producer goes on |
| LEARN | it is unknown what the broker did: ask it |
| DEAD | the producer is of no more use |

A code that stands in no table means DEAD: a transaction that was not told to commit never will
be. After End it means LEARN.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from processor.kafka.transactions.error_codes import ErrorCode
from processor.kafka.transactions.outcomes import Cause, Reason
from processor.kafka.transactions.requests import (
    AddOffsets,
    AddPartitions,
    CommitOffsets,
    Describe,
    End,
    FindCoordinator,
    InitProducerId,
    Produce,
    Request,
)
from processor.kafka.transactions.values import TopicPartition


class Remedy(IntEnum):
    """The remedy for an error code; of several the greatest counts."""

    DONE = 0
    REPEATED = 1
    RETRY = 2
    WAIT = 3
    MISSING = 4
    MOVED = 5
    ABORT = 6
    LEARN = 7
    DEAD = 8


_DEAD: Final[dict[int, Remedy]] = dict.fromkeys(
    (
        ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
        ErrorCode.INVALID_PRODUCER_EPOCH,
        ErrorCode.INVALID_TXN_STATE,
        ErrorCode.INVALID_PRODUCER_ID_MAPPING,
        ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        ErrorCode.UNKNOWN_PRODUCER_ID,
        ErrorCode.UNSUPPORTED_VERSION,
        ErrorCode.PRODUCER_FENCED,
    ),
    Remedy.DEAD,
)
_COORDINATOR: Final[dict[int, Remedy]] = {
    ErrorCode.NONE: Remedy.DONE,
    ErrorCode.REQUEST_TIMED_OUT: Remedy.RETRY,
    ErrorCode.NETWORK_EXCEPTION: Remedy.RETRY,
    ErrorCode.COORDINATOR_LOAD_IN_PROGRESS: Remedy.RETRY,
    ErrorCode.COORDINATOR_NOT_AVAILABLE: Remedy.MOVED,
    ErrorCode.NOT_COORDINATOR: Remedy.MOVED,
    ErrorCode.CONCURRENT_TRANSACTIONS: Remedy.WAIT,
    ErrorCode.THROTTLING_QUOTA_EXCEEDED: Remedy.RETRY,
    **_DEAD,
}
_ADDING: Final[dict[int, Remedy]] = {
    **_COORDINATOR,
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION: Remedy.MISSING,
    ErrorCode.TOPIC_AUTHORIZATION_FAILED: Remedy.ABORT,
    ErrorCode.GROUP_AUTHORIZATION_FAILED: Remedy.ABORT,
    # One partition of the request was refused, and so nothing was done about this one.
    ErrorCode.OPERATION_NOT_ATTEMPTED: Remedy.RETRY,
    ErrorCode.TRANSACTION_ABORTABLE: Remedy.ABORT,
}
_PRODUCING: Final[dict[int, Remedy]] = {
    ErrorCode.NONE: Remedy.DONE,
    ErrorCode.CORRUPT_MESSAGE: Remedy.RETRY,
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION: Remedy.MISSING,
    ErrorCode.LEADER_NOT_AVAILABLE: Remedy.MOVED,
    ErrorCode.NOT_LEADER_OR_FOLLOWER: Remedy.MOVED,
    ErrorCode.REQUEST_TIMED_OUT: Remedy.RETRY,
    ErrorCode.REPLICA_NOT_AVAILABLE: Remedy.MOVED,
    ErrorCode.MESSAGE_TOO_LARGE: Remedy.ABORT,
    ErrorCode.NETWORK_EXCEPTION: Remedy.MOVED,
    # The leader asks the transaction's coordinator, and says so where it got no answer.
    ErrorCode.COORDINATOR_LOAD_IN_PROGRESS: Remedy.RETRY,
    ErrorCode.COORDINATOR_NOT_AVAILABLE: Remedy.RETRY,
    ErrorCode.NOT_COORDINATOR: Remedy.RETRY,
    ErrorCode.INVALID_TOPIC_EXCEPTION: Remedy.ABORT,
    ErrorCode.RECORD_LIST_TOO_LARGE: Remedy.ABORT,
    ErrorCode.NOT_ENOUGH_REPLICAS: Remedy.RETRY,
    ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND: Remedy.RETRY,
    ErrorCode.TOPIC_AUTHORIZATION_FAILED: Remedy.ABORT,
    ErrorCode.INVALID_TIMESTAMP: Remedy.ABORT,
    ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT: Remedy.ABORT,
    ErrorCode.POLICY_VIOLATION: Remedy.ABORT,
    ErrorCode.DUPLICATE_SEQUENCE_NUMBER: Remedy.REPEATED,
    ErrorCode.CONCURRENT_TRANSACTIONS: Remedy.WAIT,
    ErrorCode.KAFKA_STORAGE_ERROR: Remedy.MOVED,
    ErrorCode.FENCED_LEADER_EPOCH: Remedy.MOVED,
    ErrorCode.UNKNOWN_LEADER_EPOCH: Remedy.RETRY,
    ErrorCode.UNSUPPORTED_COMPRESSION_TYPE: Remedy.ABORT,
    ErrorCode.INVALID_RECORD: Remedy.ABORT,
    ErrorCode.THROTTLING_QUOTA_EXCEEDED: Remedy.RETRY,
    ErrorCode.TRANSACTION_ABORTABLE: Remedy.ABORT,
    **_DEAD,
}
_OFFSETS: Final[dict[int, Remedy]] = {
    **_COORDINATOR,
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION: Remedy.MISSING,
    ErrorCode.OFFSET_METADATA_TOO_LARGE: Remedy.ABORT,
    ErrorCode.NOT_ENOUGH_REPLICAS: Remedy.RETRY,
    ErrorCode.ILLEGAL_GENERATION: Remedy.ABORT,
    ErrorCode.INVALID_GROUP_ID: Remedy.ABORT,
    ErrorCode.UNKNOWN_MEMBER_ID: Remedy.ABORT,
    ErrorCode.REBALANCE_IN_PROGRESS: Remedy.ABORT,
    ErrorCode.INVALID_COMMIT_OFFSET_SIZE: Remedy.ABORT,
    ErrorCode.TOPIC_AUTHORIZATION_FAILED: Remedy.ABORT,
    ErrorCode.GROUP_AUTHORIZATION_FAILED: Remedy.ABORT,
    ErrorCode.GROUP_ID_NOT_FOUND: Remedy.ABORT,
    ErrorCode.FENCED_INSTANCE_ID: Remedy.ABORT,
    ErrorCode.FENCED_MEMBER_EPOCH: Remedy.ABORT,
    ErrorCode.STALE_MEMBER_EPOCH: Remedy.ABORT,
    ErrorCode.TRANSACTION_ABORTABLE: Remedy.ABORT,
}
_INIT: Final[dict[int, Remedy]] = {
    **_COORDINATOR,
    ErrorCode.TRANSACTION_COORDINATOR_FENCED: Remedy.MOVED,
}
_FIND: Final[dict[int, Remedy]] = {
    **_COORDINATOR,
    ErrorCode.COORDINATOR_NOT_AVAILABLE: Remedy.RETRY,
}

_TABLES: Final[Mapping[type[Request], Mapping[int, Remedy]]] = {
    FindCoordinator: _FIND,
    InitProducerId: _INIT,
    Describe: _COORDINATOR,
    AddPartitions: _ADDING,
    AddOffsets: _ADDING,
    Produce: _PRODUCING,
    CommitOffsets: _OFFSETS,
    End: _COORDINATOR,
}


def remedy_of(request: type[Request], error_code: int) -> Remedy:
    """The meaning of an error code for a kind of request."""
    unheard_of = Remedy.LEARN if request is End else Remedy.DEAD
    return _TABLES[request].get(error_code, unheard_of)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The remedy, and the cause in case that it ends something."""

    remedy: Remedy
    cause: Cause


def judge(
    request: type[Request], error_code: int, partition: TopicPartition | None = None
) -> Judgement:
    """Judge one error code."""
    cause = Cause(Reason.REFUSED, request, error_code, partition)
    return Judgement(remedy_of(request, error_code), cause)


def judge_all(request: type[Request], error_codes: Mapping[TopicPartition, int]) -> Judgement:
    """Judge the error codes of all partitions of a request by the gravest."""
    judgements = [judge(request, code, where) for where, code in error_codes.items()]
    gravest = max(judgements, key=lambda found: found.remedy, default=None)
    # An answer about nothing says nothing.
    return judge(request, ErrorCode.UNKNOWN_SERVER_ERROR) if gravest is None else gravest
