"""A task that puts events in order and refuses repeats, over logs in memory, and its crashes.

What a transaction wrote is there when it is committed, and never was when the task crashes before.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from processor.core.directory.indexed_stream import IndexedStream
from processor.core.directory.messages import ToStream
from processor.core.event_time.event_order import EventOrder
from processor.core.event_time.progress_log import ProgressLog
from processor.core.event_time.progress_table import ProgressTable
from processor.core.event_time.released import EventRun, InputRecord, Ready
from processor.core.event_time.reorder import ReorderPolicy
from processor.core.event_time.seen_blocks import SeenBlocks
from processor.core.event_time.seen_ids import SeenIds
from processor.core.orders.order import Order
from processor.core.orders.stream import Input, OrderStream
from processor.wire.event import Event, Refusal
from processor.wire.position import ReorderMark
from processor.wire.record import Header, Record


class Stored(NamedTuple):
    """A record of ``orders.events``."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]


class Given(NamedTuple):
    """What a record of ``orders.events`` says."""

    record: Stored
    event: Event | Refusal


@dataclass
class Action:
    """What a task does in one transaction: read some records of each source, or release by time."""

    now_us: int
    events: int = 0
    routed: int = 0
    idle: bool = False


@dataclass
class Kafka:
    """The inputs (None: an offset without a record), and all that is committed."""

    events: list[Given | None]
    routed: list[ToStream | None]
    offsets: tuple[int, int] = (0, 0)
    orders: list[Order] = field(default_factory=list)
    seq: int = 0
    mark: ReorderMark | None = None
    extents: tuple[int, int, int] = (0, 0, 0)
    finished_events: int = 0
    progress: list[Record] = field(default_factory=list)
    wrote: list[tuple[str, Any]] = field(default_factory=list)

    def said(self, kind: str) -> list[Any]:
        """What was written of one kind."""
        return [value for name, value in self.wrote if name == kind]


class Setup(NamedTuple):
    """How a task works."""

    policy: ReorderPolicy
    dedupe_events: int
    with_directory: bool
    num_streams: int


class LateTask:
    """The task of stream 0."""

    def __init__(self, kafka: Kafka, setup: Setup, *, compacted: bool = False) -> None:
        self.kafka = kafka
        self._wrote: list[tuple[str, Any]] = []
        orders_class = IndexedStream if setup.with_directory else OrderStream
        self.orders = orders_class(0, setup.num_streams, seq=kafka.seq, orders=kafka.orders)
        table = ProgressTable()
        for record in compact(kafka.progress) if compacted else kafka.progress:
            table.put(*record)
        assert (table.seq <= kafka.extents[0], *table.extents) == (True, *kafka.extents[1:])
        self.log: ProgressLog = table.log(kafka.extents[0])
        self.seen: SeenIds | None = None
        self.blocks: SeenBlocks | None = None
        if setup.dedupe_events:
            self.seen, self.blocks = table.seen_ids(
                self.log, setup.dedupe_events, kafka.finished_events
            )
        self.order = EventOrder(
            self.orders,
            setup.policy,
            table.finished_offsets(self.log),
            seen=self.seen,
            mark=kafka.mark,
        )
        self.positions = kafka.offsets
        if kafka.mark is not None:
            self._put_back(table, kafka.mark)

    def _put_back(self, table: ProgressTable, mark: ReorderMark) -> None:
        finished = table.finished(self.kafka.offsets)
        self.positions = mark["events_read"], mark["routed_read"]
        first, last = self.kafka.offsets[0], mark["events_read"]
        self.order.put_back_events(*_read(self.kafka.events[first:last]), finished[0])
        first, last = self.kafka.offsets[1], mark["routed_read"]
        self.order.put_back_routed(self._routed(first, last), finished[1])

    def act(self, action: Action) -> None:
        """Do one transaction's work."""
        if action.idle:
            due = self.order.is_due(action.now_us)
            ready = self.order.release_idle(action.now_us)
            assert bool(ready.runs) == due
            self._do(ready)
            return
        events, routed = self.positions
        events_end = min(events + action.events, len(self.kafka.events))
        routed_end = min(routed + action.routed, len(self.kafka.routed))
        self.positions = events_end, routed_end
        inputs, records = _read(self.kafka.events[events:events_end])
        for ready in self.order.take_events(inputs, records, action.now_us):
            self._do(ready)
        for ready in self.order.take_routed(self._routed(routed, routed_end), action.now_us):
            self._do(ready)

    def commit(self) -> None:
        """Commit what was done."""
        kafka = self.kafka
        kafka.offsets = self.order.write(self.positions)
        if self.seen is not None and self.blocks is not None:
            self.blocks.write(self.seen)
            kafka.finished_events = self.seen.events
        kafka.mark = self.order.mark(self.positions)
        kafka.progress += self.log.drain()
        extents = self.log.extents
        kafka.extents = extents["seq"], extents["records"], extents["sum"]
        kafka.orders, kafka.seq = self.orders.orders(), self.orders.seq
        kafka.wrote += self._wrote
        self._wrote = []

    def _do(self, ready: Ready) -> None:
        for run in ready.runs:
            if not isinstance(self.orders, IndexedStream):
                assert isinstance(run, EventRun)
                assert run.records == []
                step = self.orders.step(run.inputs, self.seen)
                self._write("answer", [(0, decision) for decision in step.decisions])
                self._write("change", step.changes)
            elif isinstance(run, EventRun):
                taken = self.orders.take(run.inputs, run.records, self.seen)
                self._write("answer", taken.answers)
                self._write("change", taken.changes)
                self._write("to_shard", taken.to_shards)
                self._write("to_stream", taken.to_streams)
            else:
                routed = self.orders.take_routed(run.messages, self.seen)
                self._write("answer", routed.answers)
                self._write("change", routed.changes)
                self._write("to_shard", routed.to_shards)
        self._write("answer", ready.answers)
        self._write("letter", ready.refused)

    def _write(self, kind: str, values: Sequence[Any]) -> None:
        self._wrote += [(kind, value) for value in values]

    def _routed(self, first: int, last: int) -> list[tuple[int, ToStream]]:
        found = enumerate(self.kafka.routed[first:last], first)
        return [(offset, message) for offset, message in found if message is not None]


def run(kafka: Kafka, setup: Setup, actions: Sequence[tuple[Action, str]]) -> LateTask:
    """Do all actions, each in a transaction.

    Args:
        kafka: where.
        setup: how.
        actions: each with what happens before it: nothing, a ``crash``, or an ``abort`` of the same
            action and then a crash; ``compact`` in it means that the log was compacted meanwhile.
    """
    task = LateTask(kafka, setup)
    for action, before in actions:
        if "abort" in before:
            task.act(action)
        if before:
            task = LateTask(kafka, setup, compacted="compact" in before)
        task.act(action)
        task.commit()
    return task


def fresh(kafka: Kafka) -> Kafka:
    """The same inputs, with nothing done."""
    return Kafka(copy.copy(kafka.events), copy.copy(kafka.routed))


def compact(records: Sequence[Record]) -> list[Record]:
    """What compaction leaves: the last of each key, no tombstones."""
    last = {record[0]: record for record in records}
    return [one for one in records if last[one[0]] is one and one[1] is not None]


def _read(given: Sequence[Given | None]) -> tuple[list[Input], list[InputRecord]]:
    there = [one for one in given if one is not None]
    inputs: list[Input] = [
        (one.record.offset, one.record.timestamp * 1000, one.event) for one in there
    ]
    return inputs, [one.record for one in there]
