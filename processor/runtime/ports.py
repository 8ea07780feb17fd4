"""What the runtime needs from the world, so that tests can drive the real loop over fakes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol

from processor.core.messages import EventRecord
from processor.core.records import Record

OutputRecord = Record

NO_QUEUES: Mapping[str, int] = MappingProxyType({})
"""What a task without a directory reads beside ``orders.events``."""


class InputRecord(EventRecord, Protocol):
    """A record as read, and where."""

    @property
    def offset(self) -> int: ...


class Bounds(NamedTuple):
    """A partition's first offset and the offset after its last committed record."""

    begin: int
    end: int


class Committed(NamedTuple):
    """A group's committed offset and the text that was committed with it."""

    offset: int
    metadata: str


class PartitionReader(Protocol):
    """A reader of one partition, committed records only."""

    async def fetch(self, *, max_records: int, timeout_ms: int) -> Sequence[InputRecord]:
        """The next records; none when there are none within the time.

        Raises:
            OffsetGone: the position is not in the log any more.
            FootingLost: the broker failed us.
        """

    @property
    def position(self) -> int:
        """The next offset; it moves past transaction markers and holes too."""

    @property
    def lag(self) -> int:
        """How far the position is from the end of the partition as last heard of."""

    async def close(self) -> None:
        """Let go of everything. Never raises."""


class InputReader(Protocol):
    """A reader of a task's input partitions, one of each topic, committed records only."""

    async def fetch(
        self, *, max_records: int, timeout_ms: int
    ) -> Mapping[str, Sequence[InputRecord]]:
        """The next records of those topics that have any; nothing when none have within the time.

        Raises:
            OffsetGone: a position is not in the log any more.
            FootingLost: the broker failed us.
        """

    def position(self, topic: str) -> int:
        """The next offset; it moves past transaction markers and holes too."""

    def lag(self, topic: str) -> int:
        """How far the position is from the end of the partition as last heard of."""

    async def close(self) -> None:
        """Let go of everything. Never raises."""


class StreamWriter(Protocol):
    """The transactional writer of one stream; whoever opens the next one cuts this one off.

    All methods but ``close`` raise `FootingLost` when the writer cannot go on; the outcome of a
    commit that raised is unknown.
    """

    async def settle(self) -> None:
        """End what earlier transactions may have left undecided, each as it was meant to end.

        Comes before any reading.
        """

    @property
    def in_doubt(self) -> bool:
        """Whether something may be undecided by now; the next commit begins with settling it."""

    async def begin(self) -> None:
        """Begin a transaction."""

    def write(
        self, topic: str, records: Sequence[OutputRecord], partition: int | None = None
    ) -> int:
        """Add records to a partition of a topic, the stream's own unless said; the bytes added."""

    async def commit(
        self, offset: int, metadata: str, queues: Mapping[str, int] = NO_QUEUES
    ) -> int:
        """Commit all that was written, with the input offsets.

        Args:
            offset: the next one of ``orders.events``.
            metadata: goes with it.
            queues: the next ones of the stream's partitions of other input topics.

        Returns:
            A lower bound of the end of ``orders.live``, past all that was committed so far.
        """

    async def close(self) -> None:
        """Abort what is open and let go of everything, within a bound. Never raises."""


class Log(Protocol):
    """Kafka, as a reader sees it. All methods raise `FootingLost` when the broker fails us."""

    async def bounds(self, topic: str, partition: int) -> Bounds:
        """Where a partition begins and ends now."""

    async def read(self, topic: str, partition: int, offset: int) -> PartitionReader:
        """Read a partition from an offset on."""


class Broker(Log, Protocol):
    """Kafka, as a task sees it."""

    async def fence(self, stream: int) -> StreamWriter:
        """End the transaction of any previous owner, cut it off, and become the owner."""

    async def committed(self, stream: int) -> Committed | None:
        """The offset of ``orders.events`` that is committed now."""

    async def queue_offsets(self, stream: int, topics: Sequence[str]) -> Mapping[str, int]:
        """The committed offsets of the stream's partitions of these topics, where there are any."""

    async def read_inputs(self, stream: int, offsets: Mapping[str, int]) -> "InputReader":
        """Read the stream's partitions of some topics at once, each from an offset on."""

    async def purge(self, topic: str, partition: int, offset: int) -> None:
        """Delete what a partition has before an offset: it was consumed."""

    async def end(self, topic: str, partition: int) -> int:
        """Where a partition ends now, open transactions included."""


class GroupListener(Protocol):
    """Who is told of rebalances."""

    async def on_revoked(self) -> None:
        """All streams may move: return when nothing is open any more."""

    def on_assigned(self, streams: frozenset[int]) -> None:
        """These streams, and no others, are ours from now on. Must not wait."""


class Group(Protocol):
    """The consumer group: who owns which stream."""

    async def run(self, listener: GroupListener, stop: Awaitable[object]) -> None:
        """Be a member until ``stop`` is done, then leave."""

    async def owns(self, stream: int) -> bool:
        """Whether the group's coordinator says, now, that the stream is ours."""


class Clock(Protocol):
    """Time."""

    def monotonic_ms(self) -> int:
        """Milliseconds that never go back."""

    def monotonic_ns(self) -> int:
        """The same in nanoseconds."""

    def now_us(self) -> int:
        """Wall clock, microseconds since 1970-01-01T00:00:00Z."""


NewId = Callable[[], str]
"""Makes a name that was never used before."""
