"""Tasks that each run a stream and a directory shard, over logs in memory, without a clock.

What a transaction writes stands in the logs at once, in one place of each; readers get it when it
is committed, and nothing that stands behind it before. So between any two tasks order is kept, and
everything else may be delayed for as long as whoever drives this likes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from processor.core.directory.claim_records import claim_records, read_claims
from processor.core.directory.directory import DirectoryStep, OrderDirectory
from processor.core.directory.directory_records import DirectoryTable, directory_records
from processor.core.directory.indexed_stream import IndexedStream
from processor.core.directory.messages import ToShard, ToStream
from processor.core.directory.routed_records import read_routed, routed_records
from processor.core.orders.order import Order, from_record
from processor.core.orders.records import answer_records, live_records
from processor.core.orders.stream import Input
from processor.wire.event import parse_event
from processor.wire.live_order import parse_live_order
from processor.wire.record import Header, Record
from processor.wire.timestamp import record_time_us

Topic = Literal["events", "results", "live", "claims", "routed", "directory"]
Source = Literal["events", "claims", "routed"]
SOURCES: tuple[Source, ...] = ("events", "claims", "routed")
GRACE_MS = 5000
_ANY_POSITION = 2**63


class Stored(NamedTuple):
    """A record as read."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]


@dataclass(eq=False)
class Transaction:
    """What one task writes together.

    ``has_read_all`` tells whether the shard looked at deadlines and had nothing more to read.
    """

    task: int
    now_us: int
    has_read_all: bool = False
    state: Literal["open", "committed", "aborted"] = "open"
    wrote: list[tuple[Topic, int, Stored]] = field(default_factory=list)


class Entry(NamedTuple):
    """A record in a log; a producer's has no transaction."""

    record: Stored
    transaction: Transaction | None
    now_us: int


class Log:
    """One partition."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    @property
    def end(self) -> int:
        """The end, open transactions included."""
        return len(self.entries)

    def append(self, record: Record, now_us: int, transaction: Transaction | None = None) -> Stored:
        """Write a record."""
        stored = Stored(self.end, now_us // 1000, *record)
        self.entries.append(Entry(stored, transaction, now_us))
        return stored

    def read(self, position: int, most: int) -> tuple[list[Stored], int]:
        """Committed records up to the first open transaction, and where to go on."""
        found: list[Stored] = []
        while position < self.end and len(found) < most:
            record, transaction, _ = self.entries[position]
            if transaction is not None and transaction.state == "open":
                break
            if transaction is None or transaction.state == "committed":
                found.append(record)
            position += 1
        return found, position

    def committed(self) -> list[Stored]:
        """All that is committed."""
        return self.read(0, self.end)[0]


class Committed(NamedTuple):
    """Where a task stands."""

    positions: Mapping[Source, int]
    seq: int


class Memory:
    """What a task knows and loses in a crash."""

    def __init__(
        self, orders: IndexedStream, directory: OrderDirectory, committed: Committed
    ) -> None:
        self.orders = orders
        self.directory = directory
        self.positions: dict[Source, int] = dict(committed.positions)


class Cluster:
    """The logs, what was committed, and the tasks of all streams."""

    def __init__(self, num_streams: int) -> None:
        self.num_streams = num_streams
        self.now_us = 1_000_000
        self.logs: dict[tuple[Topic, int], Log] = {}
        self.transactions: list[Transaction] = []
        self.committed = [Committed(dict.fromkeys(SOURCES, 0), 0) for _ in range(num_streams)]
        self.tasks = [Task(self, number) for number in range(num_streams)]

    def log(self, topic: Topic, partition: int) -> Log:
        """A partition."""
        return self.logs.setdefault((topic, partition), Log())

    def produce(self, partition: int, record: Record) -> None:
        """Write an event."""
        self.log("events", partition).append(record, self.now_us)


class Task:
    """Runs stream and shard ``number``: at most one transaction at a time."""

    def __init__(self, cluster: Cluster, number: int) -> None:
        self.cluster = cluster
        self.number = number
        self.memory: Memory | None = None
        self.open: Transaction | None = None

    def restore(self, *, compacted: bool) -> None:
        """Come back from what is committed; compaction may have left the last of each key only."""
        committed = self.cluster.committed[self.number]
        live = self.cluster.log("live", self.number)
        table: dict[bytes | None, Order] = {}
        for record in _maybe_compacted(live.committed(), compacted):
            table.pop(record.key, None)
            if record.value is not None:
                table[record.key] = from_record(parse_live_order(record.value))
        directory = DirectoryTable()
        for record in _maybe_compacted(
            self.cluster.log("directory", self.number).committed(), compacted
        ):
            directory.put(record.key, record.value, record.headers)
        self.memory = Memory(
            IndexedStream(
                self.number,
                self.cluster.num_streams,
                seq=max(committed.seq, live.end),
                orders=sorted(table.values(), key=lambda order: order.placed_seq),
            ),
            directory.directory(self.cluster.num_streams, routing_grace_ms=GRACE_MS),
            committed,
        )

    def has_work(self) -> bool:
        """Whether anything is there to read, or due."""
        memory = self.memory
        return (
            memory is None
            or memory.directory.is_overdue(self.cluster.now_us)
            or memory.directory.is_due(_ANY_POSITION)
            or any(self._read(source, 1)[0] for source in SOURCES)
        )

    def work(self, order: Sequence[Source], most: Mapping[Source, int]) -> None:
        """Take some records of each source, in an order of sources, and write what follows."""
        assert self.memory is not None
        self._begin()
        do: dict[Source, Callable[[Memory, list[Stored]], None]] = {
            "events": self._take_events,
            "routed": self._take_routed,
            "claims": self._take_claims,
        }
        for source in order:
            records, position = self._read(source, most[source])
            self.memory.positions[source] = position
            do[source](self.memory, records)

    def commit(self) -> None:
        """End the transaction well."""
        assert self.open is not None
        assert self.memory is not None
        self.open.state = "committed"
        self.open = None
        self.cluster.committed[self.number] = Committed(
            dict(self.memory.positions), self.memory.orders.seq
        )

    def crash(self) -> None:
        """Lose the memory, and the transaction if there is one."""
        if self.open is not None:
            self.open.state = "aborted"
        self.open = self.memory = None

    def _take_events(self, memory: Memory, records: list[Stored]) -> None:
        step = memory.orders.take(_inputs(records), records)
        self._write("results", self.number, answer_records(step.answers))
        self._write("live", self.number, live_records(self.number, step.changes))
        self._claim(step.to_shards)
        self._route(step.to_streams)

    def _take_routed(self, memory: Memory, records: list[Stored]) -> None:
        step = memory.orders.take_routed(read_routed(records, self.number))
        self._write("results", self.number, answer_records(step.answers))
        self._write("live", self.number, live_records(self.number, step.changes))
        self._claim(step.to_shards)

    def _take_claims(self, memory: Memory, records: list[Stored]) -> None:
        now_us = self.cluster.now_us
        self._tell(memory.directory.step(read_claims(records), now_us))
        end = self.cluster.log("claims", self.number).end
        position = memory.positions["claims"]
        assert self.open is not None
        self.open.has_read_all = position == end
        memory.directory.note_end(now_us, end)
        self._tell(memory.directory.expire(position))

    def _tell(self, step: DirectoryStep) -> None:
        self._write("directory", self.number, directory_records(step.changes))
        self._write("results", self.number, answer_records(step.answers))
        self._route(step.messages)

    def _claim(self, messages: Sequence[ToShard]) -> None:
        for partition, records in claim_records(messages, self.cluster.num_streams).items():
            self._write("claims", partition, records)

    def _route(self, messages: Iterable[ToStream]) -> None:
        for partition, records in routed_records(messages).items():
            self._write("routed", partition, records)

    def _read(self, source: Source, most: int) -> tuple[list[Stored], int]:
        assert self.memory is not None
        log = self.cluster.log(source, self.number)
        return log.read(self.memory.positions[source], most)

    def _begin(self) -> None:
        assert self.open is None
        self.open = Transaction(self.number, self.cluster.now_us)
        self.cluster.transactions.append(self.open)

    def _write(self, topic: Topic, partition: int, records: Iterable[Record]) -> None:
        assert self.open is not None
        log = self.cluster.log(topic, partition)
        for record in records:
            stored = log.append(record, self.cluster.now_us, self.open)
            self.open.wrote.append((topic, partition, stored))


def _inputs(records: Iterable[Stored]) -> Iterable[Input]:
    for record in records:
        yield record.offset, record_time_us(record.timestamp), parse_event(record.value)


def _maybe_compacted(records: list[Stored], compacted: bool) -> list[Stored]:
    if not compacted:
        return records
    last = {record.key: record for record in records}
    return [one for one in records if last[one.key] is one and one.value is not None]
