"""The ports `Log`, `Broker`, `StreamWriter` and `PartitionReader` on the Kafka in memory."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from processor.errors import FootingLost
from processor.runtime.ports import NO_QUEUES, Bounds, Committed, OutputRecord
from tests.fakes.kafka import FakeKafka
from tests.fakes.link import Fault, Link
from tests.fakes.log import PartitionLog, StoredRecord

# How long a fetch without records waits, however long it may: tests need not wait for it.
_IDLE_S = 0.001


def _after(fault: Fault | None, call: str) -> None:
    if fault is not None:
        raise FootingLost(f"{call}: a fault after it")


class FakeBroker:
    """One process's `Broker`."""

    def __init__(self, kafka: FakeKafka, *, app_id: str = "live-orders") -> None:
        self.kafka = kafka
        self.app_id = app_id
        self.link = Link()
        self.readers: list[FakeReader] = []
        self._inputs: list[FakeReader] = []
        self._starves_inputs = False
        # What the next answers to `committed` are, whatever is true: a broker may lag behind.
        self.stale_committed: deque[Committed | None] = deque()

    async def bounds(self, topic: str, partition: int) -> Bounds:
        """Part of `Log`."""
        fault = await self.link.reach("bounds")
        log = self.kafka.log(topic, partition)
        _after(fault, "bounds")
        return Bounds(log.begin, log.stable_end)

    async def read(self, topic: str, partition: int, offset: int) -> "FakeReader":
        """Part of `Log`."""
        fault = await self.link.reach("read")
        _after(fault, "read")
        reader = FakeReader(self.link, self.kafka.log(topic, partition), offset)
        self.readers.append(reader)
        return reader

    async def fence(self, stream: int) -> "FakeWriter":
        """Part of `Broker`."""
        fault = await self.link.reach("fence")
        writer = FakeWriter(self.link, self.kafka, self.app_id, stream)
        _after(fault, "fence")
        return writer

    async def committed(self, stream: int) -> Committed | None:
        """Part of `Broker`."""
        fault = await self.link.reach("committed")
        _after(fault, "committed")
        if self.stale_committed:
            return self.stale_committed.popleft()
        return self.kafka.offsets.get((self.app_id, stream))

    async def queue_offsets(self, stream: int, topics: Sequence[str]) -> Mapping[str, int]:
        """Part of `Broker`."""
        fault = await self.link.reach("committed")
        _after(fault, "committed")
        found = self.kafka.queue_offsets.get((self.app_id, stream), {})
        return {topic: found[topic] for topic in topics if topic in found}

    async def read_inputs(self, stream: int, offsets: Mapping[str, int]) -> "FakeInputs":
        """Part of `Broker`."""
        fault = await self.link.reach("read")
        _after(fault, "read")
        readers = {
            topic: FakeReader(self.link, self.kafka.log(topic, stream), offset)
            for topic, offset in offsets.items()
        }
        self.readers.extend(readers.values())
        self._inputs.extend(readers.values())
        self.starve_inputs(self._starves_inputs)
        return FakeInputs(readers)

    def starve_inputs(self, starve: bool = True) -> None:
        """Let fetches of inputs bring nothing and tell nothing, though there is more; or end it."""
        self._starves_inputs = starve
        for reader in self._inputs:
            reader.starved = starve

    async def purge(self, topic: str, partition: int, offset: int) -> None:
        """Part of `Broker`."""
        fault = await self.link.reach("purge")
        self.kafka.log(topic, partition).delete_before(offset)
        _after(fault, "purge")

    async def end(self, topic: str, partition: int) -> int:
        """Part of `Broker`."""
        fault = await self.link.reach("bounds")
        _after(fault, "bounds")
        return self.kafka.log(topic, partition).end


class FakeInputs:
    """An `InputReader`. Takes from one partition after the other, as they have something."""

    def __init__(self, readers: dict[str, "FakeReader"]) -> None:
        self._readers = readers

    async def fetch(
        self, *, max_records: int, timeout_ms: int
    ) -> Mapping[str, Sequence[StoredRecord]]:
        """Part of `InputReader`."""
        found: dict[str, Sequence[StoredRecord]] = {}
        for topic, reader in self._readers.items():
            if max_records:
                records = await reader.fetch(max_records=max_records, timeout_ms=timeout_ms)
                max_records -= len(records)
                if records:
                    found[topic] = records
        return found

    def position(self, topic: str) -> int:
        """Part of `InputReader`."""
        return self._readers[topic].position

    def lag(self, topic: str) -> int:
        """Part of `InputReader`."""
        return self._readers[topic].lag

    async def close(self) -> None:
        """Part of `InputReader`."""
        for reader in self._readers.values():
            await reader.close()


class FakeReader:
    """A `PartitionReader`. Its first fetch brings nothing yet."""

    def __init__(self, link: Link, log: PartitionLog, offset: int) -> None:
        self.closed = False
        self.position = offset
        self.lag = 0
        self.starved = False
        self._link = link
        self._log = log
        self._warm = False

    async def fetch(self, *, max_records: int, timeout_ms: int) -> Sequence[StoredRecord]:
        """Part of `PartitionReader`."""
        assert not self.closed, "fetch after close"
        assert max_records > 0, "a fetch of nothing, which the client library refuses"
        fault = await self._link.reach("fetch")
        records = self._poll(max_records if self._warm else 0)
        self._warm = True
        if not records and timeout_ms > 0:
            await asyncio.sleep(_IDLE_S)
            records = self._poll(max_records)
        _after(fault, "fetch")
        return records

    def _poll(self, max_records: int) -> list[StoredRecord]:
        if self.starved:
            return []
        records: list[StoredRecord] = []
        if max_records:
            records, self.position = self._log.read(self.position, max_records)
        self.lag = self._log.stable_end - self.position
        return records

    async def close(self) -> None:
        """Part of `PartitionReader`."""
        self.closed = True


class FakeWriter:
    """A `StreamWriter`. After any error, and after `close`, it is dead."""

    def __init__(self, link: Link, kafka: FakeKafka, app_id: str, stream: int) -> None:
        self._link = link
        self._kafka = kafka
        self._app_id = app_id
        self._stream = stream
        self._id = f"{app_id}.{kafka.topics.prefix}{stream}"
        self._epoch = kafka.fence(self._id)
        self._records: dict[tuple[str, int], list[OutputRecord]] = {}
        self._live_end = 0
        self._in_transaction = False
        self._usable = True

    async def settle(self) -> None:
        """Part of `StreamWriter`; a transaction is never left undecided here."""

    @property
    def in_doubt(self) -> bool:
        """Part of `StreamWriter`."""
        return False

    async def begin(self) -> None:
        """Part of `StreamWriter`."""
        self._require(in_transaction=False)
        fault = await self._link.reach("begin")
        self._in_transaction = True
        _after(fault, "begin")

    def write(
        self, topic: str, records: Iterable[OutputRecord], partition: int | None = None
    ) -> int:
        """Part of `StreamWriter`."""
        self._require(in_transaction=True)
        fault = self._link.strike("write")
        added = list(records)
        if added:
            where = topic, self._stream if partition is None else partition
            self._records.setdefault(where, []).extend(added)
        _after(fault, "write")
        return sum(20 + len(key or b"") + len(value or b"") for key, value, _ in added)

    async def commit(
        self, offset: int, metadata: str, queues: Mapping[str, int] = NO_QUEUES
    ) -> int:
        """Part of `StreamWriter`."""
        self._require(in_transaction=True)
        self._usable = False
        fault = await self._link.reach("commit")
        for (topic, partition), records in self._records.items():
            end = self._kafka.send(self._id, self._epoch, topic, partition, records)
            if topic == self._kafka.topics.live:
                self._live_end = end
        # Whoever is held, fails or is cancelled here leaves an open transaction.
        ending = await self._link.reach("end")
        if fault is Fault.HALF:
            raise FootingLost("commit: a fault inside it")
        self._kafka.commit(
            self._id, self._epoch, self._app_id, self._stream, Committed(offset, metadata), queues
        )
        _after(fault or ending, "commit")
        self._records = {}
        self._in_transaction = False
        self._usable = True
        return self._live_end

    async def close(self) -> None:
        """Part of `StreamWriter`; what a failed commit left open stays open."""
        self._usable = False

    def _require(self, *, in_transaction: bool) -> None:
        if not self._usable:
            raise FootingLost("the writer is closed, or failed before")
        assert self._in_transaction is in_transaction, "begin, write and commit out of turn"
