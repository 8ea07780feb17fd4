"""The requests that the machines give out.

Each has an id of its own, under which its response, or its loss, is handed in. ``node`` is the
broker that it is for; a request without one may go to any broker.
"""

from dataclasses import dataclass
from typing import TypeAlias

from processor.kafka.transactions.round import Batch, GroupOffsets
from processor.kafka.transactions.values import (
    CoordinatorKey,
    Ending,
    Producer,
    TopicPartition,
    TransactionVersion,
)


@dataclass(frozen=True, slots=True)
class FindCoordinator:
    """Which broker coordinates a group or a transactional id."""

    id: int
    key: CoordinatorKey


@dataclass(frozen=True, slots=True)
class RefreshLeaders:
    """Which brokers lead partitions."""

    id: int
    partitions: tuple[TopicPartition, ...]


@dataclass(frozen=True, slots=True)
class InitProducerId:
    """Take over a transactional id: fences its last owner and ends the transaction it left."""

    id: int
    node: int
    transactional_id: str
    timeout_ms: int


@dataclass(frozen=True, slots=True)
class Describe:
    """The state of a transactional id (DescribeTransactions)."""

    id: int
    node: int
    transactional_id: str


@dataclass(frozen=True, slots=True)
class AddPartitions:
    """Add partitions to the transaction, which begins it (AddPartitionsToTxn, version 1)."""

    id: int
    node: int
    transactional_id: str
    producer: Producer
    partitions: tuple[TopicPartition, ...]


@dataclass(frozen=True, slots=True)
class AddOffsets:
    """Add a group's offsets to the transaction, which begins it (AddOffsetsToTxn, version 1)."""

    id: int
    node: int
    transactional_id: str
    producer: Producer
    group_id: str


@dataclass(frozen=True, slots=True)
class ProducedBatch:
    """A batch on its way to a partition."""

    partition: TopicPartition
    batch: Batch
    base_sequence: int


@dataclass(frozen=True, slots=True)
class Produce:
    """Write batches to a leader, one for each partition at most."""

    id: int
    node: int
    transactional_id: str
    version: TransactionVersion
    producer: Producer
    batches: tuple[ProducedBatch, ...]


@dataclass(frozen=True, slots=True)
class CommitOffsets:
    """Commit a group's offsets with the transaction (TxnOffsetCommit)."""

    id: int
    node: int
    transactional_id: str
    version: TransactionVersion
    producer: Producer
    offsets: GroupOffsets


@dataclass(frozen=True, slots=True)
class End:
    """End the transaction (EndTxn)."""

    id: int
    node: int
    transactional_id: str
    version: TransactionVersion
    producer: Producer
    ending: Ending


Request: TypeAlias = (
    FindCoordinator
    | RefreshLeaders
    | InitProducerId
    | Describe
    | AddPartitions
    | AddOffsets
    | Produce
    | CommitOffsets
    | End
)
