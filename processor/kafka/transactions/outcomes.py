"""The outcome of a transaction, and its cause."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from processor.kafka.transactions.error_codes import name_of
from processor.kafka.transactions.requests import Request
from processor.kafka.transactions.values import TopicPartition


class Reason(Enum):
    """The kinds of failure."""

    REFUSED = "refused"
    LOST = "no answer to"
    LATE = "not done in time"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a transaction was not committed.

    ``request`` is the kind of request that failed; ``error_code`` is what the broker answered.
    """

    reason: Reason
    request: type[Request] | None = None
    error_code: int = 0
    partition: TopicPartition | None = None

    def __str__(self) -> str:
        """The cause in a few words, such as ``refused End: INVALID_TXN_STATE``."""
        text = self.reason.value
        if self.request is not None:
            text += f" {self.request.__name__}"
        if self.partition is not None:
            text += f" of {self.partition.topic}/{self.partition.partition}"
        return f"{text}: {name_of(self.error_code)}" if self.error_code else text


class Fate(Enum):
    """The knowledge of a transaction whose session is dead.

    ABORTED: it was not committed and never will be. UNKNOWN: only the coordinator knows, once
    InitProducerId was answered.
    """

    COMMITTED = "committed"
    ABORTED = "aborted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Committed:
    """The transaction is committed.

    ``base_offsets`` has the offset of each batch's first record; -1 where the broker only said
    that it has the batch already.
    """

    base_offsets: Mapping[TopicPartition, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Aborted:
    """The transaction is aborted, and the session goes on; no cause if that was asked for."""

    cause: Cause | None


@dataclass(frozen=True, slots=True)
class Dead:
    """The session cannot go on: a new one is needed, with a producer id acquired anew."""

    cause: Cause
    fate: Fate


Outcome: TypeAlias = Committed | Aborted | Dead
