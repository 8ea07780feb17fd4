"""The reader's ports over the fetcher of a process."""

from collections.abc import Mapping, Sequence

from processor.kafka.cluster import Cluster
from processor.kafka.errors import for_task
from processor.reader.ports import Bounds, PartitionReader
from processor.task.ports import InputReader, Offsets, Partition
from processor.wire.record import InputRecord


class KafkaPartitionReader:
    """A `PartitionReader`: an input reader of one partition."""

    def __init__(self, reader: InputReader, topic: str) -> None:
        self._reader = reader
        self._topic = topic

    async def fetch(self, *, max_records: int, timeout_ms: int) -> Sequence[InputRecord]:
        """Part of `PartitionReader`."""
        fetched = await self._reader.fetch(max_records=max_records, timeout_ms=timeout_ms)
        return fetched.get(self._topic, ())

    @property
    def position(self) -> int:
        """Part of `PartitionReader`."""
        return self._reader.position(self._topic)

    @property
    def lag(self) -> int:
        """Part of `PartitionReader`."""
        return self._reader.lag(self._topic)

    async def close(self) -> None:
        """Part of `PartitionReader`."""
        await self._reader.close()


class KafkaLog:
    """A `Log` over the connections of a process."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def bounds(self, topic: str, partition: int) -> Bounds:
        """Part of `Log`: the end is the one that a reader of committed records gets to."""
        where = Partition(topic, partition)
        found = (await self.offsets([where]))[where]
        return Bounds(found.begin, found.stable_end)

    async def read(self, topic: str, partition: int, offset: int) -> PartitionReader:
        """Part of `Log`."""
        return KafkaPartitionReader(self._cluster.fetcher.open(partition, {topic: offset}), topic)

    async def offsets(self, partitions: Sequence[Partition]) -> Mapping[Partition, Offsets]:
        """Where partitions begin and end now.

        Raises:
            TaskLost: a broker does not say.
        """
        names = ", ".join(map(str, partitions))
        with for_task(f"asking for the offsets of {names}"):
            return await self._cluster.offsets(partitions)
