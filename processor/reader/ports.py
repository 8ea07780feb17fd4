"""The ports of readers: committed records, and where a partition begins and ends."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from processor.wire.record import InputRecord


class Bounds(NamedTuple):
    """A partition's first offset and the offset after its last committed record."""

    begin: int
    end: int


class PartitionReader(Protocol):
    """A reader of one partition, committed records only."""

    async def fetch(self, *, max_records: int, timeout_ms: int) -> Sequence[InputRecord]:
        """The next records; none when there are none within the time.

        Raises:
            OffsetGone: the position is not in the log any more.
            TaskLost: the broker failed us.
        """

    @property
    def position(self) -> int:
        """The next offset; it moves past transaction markers and holes too."""

    @property
    def lag(self) -> int:
        """How far the position is from the end of the partition as last heard of."""

    async def close(self) -> None:
        """Let go of everything. Never raises."""


class Log(Protocol):
    """Kafka, as a reader sees it. All methods raise `TaskLost` when the broker fails us."""

    async def bounds(self, topic: str, partition: int) -> Bounds:
        """Where a partition begins and ends now."""

    async def read(self, topic: str, partition: int, offset: int) -> PartitionReader:
        """Read a partition from an offset on."""


class Clock(Protocol):
    """Time."""

    def monotonic_ms(self) -> int:
        """Milliseconds that never go back."""

    def monotonic_ns(self) -> int:
        """The same in nanoseconds."""

    def now_us(self) -> int:
        """Wall clock, microseconds since 1970-01-01T00:00:00Z."""

    async def sleep(self, duration_ms: float) -> None:
        """Wait; 0 lets the other tasks have their turn."""
