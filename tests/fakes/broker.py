"""The ports of tasks and readers on the Kafka in memory."""

import asyncio
import itertools
from collections.abc import Collection, Mapping, Sequence

from processor.errors import OffsetUnstable, RoundAborted, SessionLost, TaskLost
from processor.reader.ports import Bounds
from processor.task.ports import Membership, Offsets, Partition, Round, TransactionView
from processor.wire.record import Record
from tests.fakes.kafka import FakeKafka
from tests.fakes.link import Fault, Link
from tests.fakes.log import StoredRecord

# How long a fetch without records waits, however long it may: tests need not wait for it.
_IDLE_S = 0.001

_INSTANCES = itertools.count(1)


def _after(fault: Fault | None, call: str) -> None:
    if fault is not None:
        raise TaskLost(f"{call}: a fault after it")


class FakeBroker:
    """One process's `Broker`."""

    def __init__(self, kafka: FakeKafka, *, app_id: str = "live-orders") -> None:
        self.kafka = kafka
        self.app_id = app_id
        self.link = Link()
        self.readers: list[FakeReader] = []
        self._inputs: list[FakeReader] = []
        self._starves_inputs = False

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
        reader = FakeReader(self.link, self.kafka, Partition(topic, partition), offset)
        self.readers.append(reader)
        return reader

    def twin(self) -> "FakeBroker":
        """The broker as another process sees it over the same link."""
        twin = FakeBroker(self.kafka, app_id=self.app_id)
        twin.link, twin.readers, twin._inputs = self.link, self.readers, self._inputs
        return twin

    def transactions(self) -> "FakeTransactions":
        """The transactions of one more run of this process."""
        number = next(_INSTANCES)
        name = f"{self.app_id}:{self.kafka.topics.prefix}:{number}"
        return FakeTransactions(self.link, self.kafka, self.app_id, name)

    async def lock(self, name: str) -> "FakeTransactions":
        """Part of `Broker`."""
        full_name = f"{self.kafka.topics.prefix}:{name}"
        return FakeTransactions(self.link, self.kafka, self.app_id, full_name)

    async def offsets(self, partitions: Sequence[Partition]) -> Mapping[Partition, Offsets]:
        """Part of `Broker`."""
        fault = await self.link.reach("bounds")
        _after(fault, "bounds")
        logs = {where: self.kafka.log(*where) for where in partitions}
        return {where: Offsets(one.begin, one.stable_end, one.end) for where, one in logs.items()}

    async def topic_ids(self) -> Mapping[str, str]:
        """Part of `Broker`."""
        fault = await self.link.reach("topics")
        _after(fault, "topics")
        return dict(self.kafka.topic_ids)

    async def transaction_of(self, transactional_id: str) -> TransactionView:
        """Part of `Broker`."""
        fault = await self.link.reach("describe")
        _after(fault, "describe")
        return self.kafka.describe(transactional_id)

    async def abort_transaction(self, seen: TransactionView) -> None:
        """Part of `Broker`."""
        fault = await self.link.reach("abort")
        self.kafka.abort(seen)
        _after(fault, "abort")

    async def holders_of(self, partitions: Sequence[Partition]) -> Sequence[str]:
        """Part of `Broker`."""
        fault = await self.link.reach("describe")
        _after(fault, "describe")
        return self.kafka.holders(partitions)

    async def settle_transaction(self, transactional_id: str) -> None:
        """Part of `Broker`."""
        fault = await self.link.reach("fence")
        self.kafka.acquire(transactional_id)
        _after(fault, "fence")

    async def group_offset(self, stream: int) -> int | None:
        """Part of `Broker`."""
        where = Partition(self.kafka.topics.events, stream)
        fault = await self.link.reach("committed")
        _after(fault, "committed")
        if self.kafka.is_pending(self.app_id, where):
            raise OffsetUnstable
        return self.kafka.group_offsets.get((self.app_id, where))

    async def read_inputs(self, stream: int, offsets: Mapping[str, int]) -> "FakeInputs":
        """Part of `Broker`."""
        fault = await self.link.reach("read")
        _after(fault, "read")
        readers = {
            topic: FakeReader(self.link, self.kafka, Partition(topic, stream), offset)
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


class FakeInputs:
    """An `InputReader`. Takes from one partition after the other, as they have something."""

    def __init__(self, readers: dict[str, "FakeReader"]) -> None:
        self._readers = readers

    async def fetch(
        self, *, max_records: int, timeout_ms: int, topics: Collection[str] | None = None
    ) -> Mapping[str, Sequence[StoredRecord]]:
        """Part of `InputReader`."""
        found: dict[str, Sequence[StoredRecord]] = {}
        for topic, reader in self._readers.items():
            if max_records and (topics is None or topic in topics):
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

    def __init__(self, link: Link, kafka: FakeKafka, where: Partition, offset: int) -> None:
        self.closed = False
        self.position = offset
        self.lag = 0
        self.starved = False
        self._link = link
        self._kafka = kafka
        self._where = where
        self._log = kafka.log(*where)
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
        if self._log is not self._kafka.log(*self._where):
            raise TaskLost(f"reading {self._where}: the topic was made anew")
        records: list[StoredRecord] = []
        if max_records:
            records, self.position = self._log.read(self.position, max_records)
        self.lag = self._log.stable_end - self.position
        return records

    async def close(self) -> None:
        """Part of `PartitionReader`."""
        self.closed = True


class FakeRound:
    """A `Round`."""

    def __init__(self) -> None:
        self.size_bytes = 0
        self.records: dict[Partition, list[Record]] = {}

    def add(self, where: Partition, records: Sequence[Record]) -> int:
        """Part of `Round`."""
        if not records:
            return 0
        self.records.setdefault(where, []).extend(records)
        added = sum(20 + len(key or b"") + len(value or b"") for key, value, _ in records)
        self.size_bytes += added
        return added


class FakeTransactions:
    """The port `Transactions`. After a `SessionLost`, nothing but `acquire` succeeds."""

    def __init__(self, link: Link, kafka: FakeKafka, app_id: str, transactional_id: str) -> None:
        self.transactional_id = transactional_id
        self._link = link
        self._kafka = kafka
        self._app_id = app_id
        self._epoch: int | None = None

    async def acquire(self) -> None:
        """Part of `Transactions`."""
        fault = await self._reach("fence")
        self._epoch = self._kafka.acquire(self.transactional_id)
        self._after(fault, "fence")

    def new_round(self) -> FakeRound:
        """Part of `Transactions`."""
        return FakeRound()

    async def commit(
        self, filled: Round, offsets: Mapping[Partition, int], membership: Membership | None
    ) -> Mapping[Partition, int]:
        """Part of `Transactions`. Whoever is held or fails inside leaves an open transaction."""
        assert isinstance(filled, FakeRound)
        epoch, self._epoch = self._epoch, None
        if epoch is None:
            raise SessionLost("commit: the id is not owned")
        try:
            ends, epoch = await self._commit(epoch, filled, offsets, membership)
        except RoundAborted:
            self._epoch = epoch
            raise
        self._epoch = epoch
        return ends

    async def settle(self) -> None:
        """Part of `Transactions`."""
        fault = await self._reach("settle")
        if self._epoch is None:
            raise SessionLost("settle: the id is not owned")
        self._kafka.settle(self.transactional_id, self._epoch)
        self._after(fault, "settle")

    async def _commit(
        self,
        epoch: int,
        filled: FakeRound,
        offsets: Mapping[Partition, int],
        membership: Membership | None,
    ) -> tuple[dict[Partition, int], int]:
        """Where the records end, and the epoch to go on with."""
        fault = await self._reach("commit")
        ends = {
            where: self._kafka.send(self.transactional_id, epoch, where, records)
            for where, records in filled.records.items()
        }
        if offsets:
            self._kafka.send_offsets(
                self.transactional_id, epoch, self._app_id, offsets, membership
            )
        ending = await self._reach("end")
        if fault is Fault.HALF:
            raise SessionLost("commit: a fault inside it")
        epoch = self._kafka.commit(self.transactional_id, epoch)
        self._after(fault or ending, "commit")
        return ends, epoch

    async def _reach(self, call: str) -> Fault | None:
        try:
            return await self._link.reach(call)
        except TaskLost as error:
            raise SessionLost(str(error)) from error

    def _after(self, fault: Fault | None, call: str) -> None:
        if fault is not None:
            self._epoch = None
            raise SessionLost(f"{call}: a fault after it")

    async def close(self) -> None:
        """Part of `Transactions`; what a failed commit left open stays open."""
        self._epoch = None
