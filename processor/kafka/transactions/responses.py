"""The answers of brokers, decoded. Error code 0 stands for success."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from processor.kafka.transactions.values import NO_PRODUCER, Producer, TopicPartition


@dataclass(frozen=True, slots=True)
class CoordinatorFound:
    """To FindCoordinator."""

    error_code: int
    node: int = -1


@dataclass(frozen=True, slots=True)
class LeadersFound:
    """To RefreshLeaders: the leaders of those partitions that have one."""

    leaders: Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class ProducerIdGiven:
    """To InitProducerId."""

    error_code: int
    producer: Producer = NO_PRODUCER


@dataclass(frozen=True, slots=True)
class Described:
    """To Describe: ``state`` is the broker's word, such as ``Ongoing`` or ``CompleteCommit``."""

    error_code: int
    state: str = ""
    producer: Producer = NO_PRODUCER
    timeout_ms: int = 0


@dataclass(frozen=True, slots=True)
class PartitionsAdded:
    """To AddPartitions: an error code for each partition."""

    error_codes: Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class OffsetsAdded:
    """To AddOffsets."""

    error_code: int


@dataclass(frozen=True, slots=True)
class Written:
    """The outcome of one batch: the offset of its first record, -1 with an error."""

    error_code: int
    base_offset: int = -1


@dataclass(frozen=True, slots=True)
class Produced:
    """To Produce."""

    written: Mapping[TopicPartition, Written]


@dataclass(frozen=True, slots=True)
class OffsetsCommitted:
    """To CommitOffsets: an error code for each partition."""

    error_codes: Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Ended:
    """To End: ``producer`` is for the next transaction, None in version 1."""

    error_code: int
    producer: Producer | None = None


Response: TypeAlias = (
    CoordinatorFound
    | LeadersFound
    | ProducerIdGiven
    | Described
    | PartitionsAdded
    | OffsetsAdded
    | Produced
    | OffsetsCommitted
    | Ended
)
