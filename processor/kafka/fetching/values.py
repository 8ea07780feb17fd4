"""Requests of a fetch session, and their answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

NO_RECORDS: Final = memoryview(b"")
NO_SESSION_ID: Final = 0
NO_SESSION_EPOCH: Final = -1


class Lane(IntEnum):
    """One of the two connections to a leader, each with one request under way at most.

    A broker answers the requests of a connection one after the other, so whatever is asked behind
    a long poll waits for its end.
    """

    MAIN = 0
    """The long poll."""
    EXTRA = 1
    """Short polls for partitions that the long poll under way does not have."""


@dataclass(frozen=True, slots=True)
class AskedPartition:
    """A partition in a request. ``topic_id`` is None where the broker has no topic ids."""

    topic: str
    topic_id: bytes | None
    partition: int
    leader_epoch: int
    fetch_offset: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Fetch:
    """A Fetch request to a node, with isolation level read_committed.

    Attributes:
        by_id: whether the ids of all topics that are asked for are known.
        partitions: all that are asked for; in an open session those alone that changed.
        forgotten: those of the session that are not asked for any more.
    """

    node: int
    lane: Lane
    max_wait_ms: int
    max_bytes: int
    by_id: bool
    partitions: Sequence[AskedPartition]
    forgotten: Sequence[AskedPartition] = ()
    session_id: int = NO_SESSION_ID
    session_epoch: int = NO_SESSION_EPOCH


@dataclass(frozen=True, slots=True)
class RefreshMetadata:
    """A request for newer metadata."""


@dataclass(frozen=True, slots=True)
class AbortedTransaction:
    """A transaction that was aborted, from its first offset in the partition on."""

    producer_id: int
    first_offset: int


@dataclass(frozen=True, slots=True)
class FetchedPartition:
    """A partition in an answer. ``topic`` is its name or, from version 13 on, its id."""

    topic: str | bytes
    partition: int
    error_code: int
    high_watermark: int
    last_stable_offset: int
    aborted: Sequence[AbortedTransaction] = ()
    records: memoryview = NO_RECORDS


@dataclass(frozen=True, slots=True)
class Fetched:
    """The answer to a Fetch request."""

    error_code: int
    partitions: Sequence[FetchedPartition]
    session_id: int = NO_SESSION_ID
