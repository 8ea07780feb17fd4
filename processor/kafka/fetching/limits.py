"""Bounds of a fetch session."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """How much is held, and how long is waited.

    Attributes:
        partition_bytes: the most that is asked and held for a partition.
        total_bytes: the most that is held for all partitions together; they share it equally.
        least_bytes: a partition's share, however many share.
        request_bytes: the most that a broker shall send in one answer.
        max_wait_ms: a long poll's time.
        extra_wait_ms: a short poll's time, on the extra lane.
        merge_ms: partitions wait for a long poll that ends within this time, to join the next.
        spacing_ms: the least time between two requests of a lane; more makes fewer, fuller answers.
        backoff_ms: the first pause after an error; it doubles each time.
        max_backoff_ms: the longest pause.
        silence_ms: a partition of which no broker has told for so long is unheard.
        gone_ms: a topic that is not as it was for so long is gone.
    """

    partition_bytes: int = 1 << 20
    total_bytes: int = 64 << 20
    least_bytes: int = 64 << 10
    request_bytes: int = 4 << 20
    max_wait_ms: int = 500
    extra_wait_ms: int = 20
    merge_ms: int = 5
    spacing_ms: int = 0
    backoff_ms: int = 20
    max_backoff_ms: int = 500
    silence_ms: int = 10_000
    gone_ms: int = 3_000

    def share_bytes(self, num_partitions: int) -> int:
        """The most that is asked and held for each of so many partitions."""
        share = self.total_bytes // max(num_partitions, 1)
        return min(max(share, self.least_bytes), self.partition_bytes)

    def pause_ms(self, failures: int) -> int:
        """The pause after so many failures in a row."""
        return min(self.backoff_ms << min(failures - 1, 16), self.max_backoff_ms)
