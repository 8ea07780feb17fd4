"""The sequence numbers of a producer's records, by which leaders tell repeats."""

from typing import Final

from processor.kafka.transactions.values import TopicPartition

# Kafka goes on with 0 after 2^31 - 1.
_WRAP: Final = 2**31


class Sequences:
    """The next sequence number of each partition, from 0 for each new producer epoch."""

    def __init__(self) -> None:
        self._next: dict[TopicPartition, int] = {}

    def next(self, partition: TopicPartition) -> int:
        """The sequence number of the next batch's first record."""
        return self._next.get(partition, 0)

    def advance(self, partition: TopicPartition, records: int) -> None:
        """Go past the records of a batch that the leader has."""
        self._next[partition] = (self.next(partition) + records) % _WRAP

    def reset(self) -> None:
        """Begin again in all partitions: the epoch is a new one."""
        self._next.clear()
