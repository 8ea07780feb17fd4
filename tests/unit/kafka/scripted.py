"""A fetch session whose other end is the test."""

from collections.abc import Mapping

from processor.kafka.cluster_view import ClusterView, Leader, Metadata, TopicMetadata
from processor.kafka.fetching.limits import FetchLimits
from processor.kafka.fetching.reading import Reading
from processor.kafka.fetching.session import FetchSession
from processor.kafka.fetching.values import (
    AbortedTransaction,
    Fetch,
    Fetched,
    FetchedPartition,
    RefreshMetadata,
)
from tests.unit.kafka.log_bytes import is_intact

TOPIC = "events"
TOPIC_ID = bytes(15) + b"\1"
OTHER_ID = bytes(15) + b"\2"


def topic_metadata(
    leaders: Mapping[int, Leader],
    *,
    name: str = TOPIC,
    topic_id: bytes | None = TOPIC_ID,
    error_code: int = 0,
) -> Metadata:
    """An answer about one topic."""
    return Metadata((), 1, (TopicMetadata(name, topic_id, error_code, leaders),))


class Script:
    """A session, its view and the time."""

    def __init__(self, *, partitions: int = 8, limits: FetchLimits | None = None) -> None:
        self.limits = limits or FetchLimits()
        self.view = ClusterView()
        self.view.learn(topic_metadata({n: Leader(1, 5) for n in range(partitions)}))
        self.session = FetchSession(self.view, self.limits, is_intact)
        self.now_ms = 1_000

    def open(self, partition: int = 0, offset: int = 0) -> Reading:
        """Begin to read a partition of the topic."""
        return self.session.open(TOPIC, partition, offset)

    def requests(self) -> list[Fetch | RefreshMetadata]:
        """What the session sends now."""
        return self.session.requests(self.now_ms)

    def fetch(self) -> Fetch:
        """The one request that it sends now."""
        (request,) = self.requests()
        assert isinstance(request, Fetch)
        return request

    def answer(self, request: Fetch, *found: FetchedPartition, error_code: int = 0) -> None:
        """Answer a request."""
        self.session.answered(request, Fetched(error_code, found), self.now_ms)

    def answer_all(self, request: Fetch) -> None:
        """Answer a request with nothing for any of its partitions."""
        self.answer(request, *(part(one.partition) for one in request.partitions))

    def learn(self, *leaders: Leader, topic_id: bytes | None = TOPIC_ID) -> None:
        """Get newer metadata: the leaders of the partitions from 0 on."""
        self.view.learn(topic_metadata(dict(enumerate(leaders)), topic_id=topic_id))

    def pass_ms(self, some_ms: int) -> None:
        """Let time pass."""
        self.now_ms += some_ms


def part(
    partition: int = 0,
    records: bytes = b"",
    *,
    aborted: tuple[AbortedTransaction, ...] = (),
    end: int = 100,
    stable: int | None = None,
    error_code: int = 0,
    topic: str | bytes = TOPIC_ID,
) -> FetchedPartition:
    """A partition of an answer."""
    stable = end if stable is None else stable
    return FetchedPartition(topic, partition, error_code, end, stable, aborted, memoryview(records))


def offsets(reading: Reading) -> list[tuple[int, int]]:
    """The offsets of the batches that are handed out, each with the one after it."""
    found = []
    while (batch := reading.take()) is not None:
        found.append((batch.base_offset, batch.next_offset))
    return found


def asked(request: Fetch) -> list[int]:
    """The partitions in a request."""
    return [one.partition for one in request.partitions]
