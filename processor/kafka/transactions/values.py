"""The words of the transaction protocol."""

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Final, NamedTuple


class TopicPartition(NamedTuple):
    """A partition of a topic; equal to aiokafka's own of the same names."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Producer:
    """A producer id with its epoch."""

    id: int
    epoch: int


NO_PRODUCER: Final = Producer(-1, -1)
"""The answer of brokers where there is no producer."""


class TransactionVersion(IntEnum):
    """The protocol of a transaction.

    Version 1 adds partitions to a transaction by requests, and keeps the epoch. Version 2
    (KIP-890) adds them with what is produced, and raises the epoch at each end.
    """

    V1 = 1
    V2 = 2


class Ending(Enum):
    """How a transaction ends."""

    COMMIT = "commit"
    ABORT = "abort"


class CoordinatorKind(IntEnum):
    """The kinds of coordinators; the numbers are FindCoordinator's."""

    GROUP = 0
    TRANSACTION = 1


class CoordinatorKey(NamedTuple):
    """The key of a coordinator: a group id or a transactional id."""

    kind: CoordinatorKind
    name: str
