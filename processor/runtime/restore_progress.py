"""Bringing back what a task knows beside its orders: ids it has seen, and events it holds."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from processor.core.event_order import EventOrder
from processor.core.finished import EVENTS, ROUTED
from processor.core.progress_log import ProgressLog
from processor.core.progress_table import ProgressTable
from processor.core.records import Record
from processor.core.routed_records import read_routed
from processor.core.seen_blocks import SeenBlocks
from processor.core.seen_ids import SeenIds
from processor.core.stream import OrderStream
from processor.errors import BrokenInvariant, FootingLost, OffsetGone, UsageError
from processor.runtime.context import TaskContext
from processor.runtime.gate import Stopped
from processor.runtime.inputs import read_inputs
from processor.runtime.log import batches
from processor.runtime.ports import Bounds, InputRecord
from schemas.commit import CommitMetadata, CommitNotes, ReorderMark
from schemas.event import Refusal

Offsets = tuple[int, int]
"""Of ``orders.events`` and of ``orders.routed``, 0 where there is no directory."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What a task writes to ``orders.progress``, and what it keeps there.

    ``seen`` is None when repeats are not refused, ``order`` when events are taken as they come.
    """

    log: ProgressLog
    seen: SeenIds | None
    blocks: SeenBlocks | None
    order: EventOrder | None

    def records(self) -> list[Record]:
        """What to write in this transaction."""
        if self.seen is not None and self.blocks is not None:
            self.blocks.write(self.seen)
        return self.log.drain()

    def notes(self) -> CommitNotes:
        """What the commit metadata must have, after `records`."""
        notes: CommitNotes = {"progress": self.log.extents}
        if self.seen is not None:
            notes["finished_events"] = self.seen.events
        return notes


async def restore_progress(
    context: TaskContext, orders: OrderStream, metadata: CommitMetadata | None, committed: Offsets
) -> tuple[Progress, Offsets]:
    """Restore a task's progress, after its orders.

    Args:
        context: the task's.
        orders: its stream.
        metadata: what was committed; None on a first start.
        committed: the offsets that were.

    Returns:
        The progress, and the offsets to read on from.

    Raises:
        BrokenInvariant: the topic does not have what was committed.
        UsageError: what was read before is gone.
        FootingLost: the broker failed us; try again.
        Stopped: the task was told to stop meanwhile.
    """
    notes: CommitNotes = {} if metadata is None else metadata
    table = await _read_table(context, notes)
    log = table.log(notes["progress"]["seq"] if "progress" in notes else 0)
    seen: SeenIds | None = None
    blocks: SeenBlocks | None = None
    if context.settings.dedupe_events:
        events = notes.get("finished_events", 0)
        seen, blocks = table.seen_ids(log, context.settings.dedupe_events, events)
    else:
        table.remove_ids(log)
    mark = notes.get("reorder")
    if mark is None and context.settings.reorder.window_ms == 0:
        return Progress(log, seen, blocks, None), committed
    finished = table.finished_offsets(log, reads_routed=context.plan.topics.directory_on)
    order = EventOrder(orders, context.settings.reorder, finished, seen=seen, mark=mark)
    read = committed if mark is None else await _put_back(context, order, table, committed, mark)
    return Progress(log, seen, blocks, order), read


async def _read_table(context: TaskContext, notes: CommitNotes) -> ProgressTable:
    topic, stream = context.plan.topics.progress, context.stream
    table = ProgressTable()
    bounds = await context.broker.bounds(topic, stream)
    async for record in _records(context, topic, bounds):
        try:
            table.put(record.key, record.value, record.headers)
        except ValueError as error:
            raise BrokenInvariant(
                f"{topic}/{stream} at offset {record.offset} is not a record of this processor "
                f"({type(error).__name__}): find out who else writes to the topic"
            ) from error
    committed = notes.get("progress", {"seq": 0, "records": 0, "sum": 0})
    if table.seq > committed["seq"]:
        # The broker may name the offset before last for some milliseconds after a commit.
        raise FootingLost(
            f"{topic}/{stream} is at seq {table.seq}, the committed offset still at "
            f"{committed['seq']}"
        )
    if table.extents != (committed["records"], committed["sum"]):
        raise BrokenInvariant(
            f"{topic}/{stream} holds {table.extents[0]} keys that are not the "
            f"{committed['records']} committed with the offset of {context.plan.input_name}: "
            "records were lost or written by somebody else; check the topic's cleanup.policy and "
            "who may write to it"
        )
    return table


async def _put_back(
    context: TaskContext,
    order: EventOrder,
    table: ProgressTable,
    committed: Offsets,
    mark: ReorderMark,
) -> Offsets:
    """Hold what was held; the offsets to read on from."""
    topics = context.plan.topics
    finished = table.finished(committed)
    read = (
        max(mark["events_read"], committed[EVENTS]),
        max(mark["routed_read"], committed[ROUTED]) if topics.directory_on else 0,
    )
    await _require_there(context, topics.events, read[EVENTS])
    unread = Bounds(committed[EVENTS], read[EVENTS])
    async for record in _records(context, topics.events, unread):
        inputs = read_inputs([record], context.settings.max_event_bytes, _answered_already)
        order.put_back_events(inputs, [record], finished[EVENTS])
    if topics.directory_on:
        await _require_there(context, topics.routed, read[ROUTED])
    unread = Bounds(committed[ROUTED], read[ROUTED])
    async for record in _records(context, topics.routed, unread):
        try:
            sent = [(record.offset, one) for one in read_routed([record], context.stream)]
            order.put_back_routed(sent, finished[ROUTED])
        except ValueError as error:
            raise BrokenInvariant(
                f"{topics.routed}/{context.stream} has a record at offset {record.offset} that is "
                f"not of this processor ({error}): find out who else writes to the topic"
            ) from error
    return read


async def _require_there(context: TaskContext, topic: str, read: int) -> None:
    """See that a topic still has what was read of it: else the restore would wait for ever."""
    end = (await context.broker.bounds(topic, context.stream)).end
    if read > end:
        raise UsageError(
            f"the offset {read} up to which {topic}/{context.stream} was read is past its end "
            f"{end}: the topic was deleted and made anew; start with a new --topic-prefix"
        )


def _answered_already(record: InputRecord, refusal: Refusal) -> None:
    """What is no event did not wait."""


async def _records(context: TaskContext, topic: str, bounds: Bounds) -> AsyncIterator[InputRecord]:
    try:
        async for records in batches(context.broker, topic, context.stream, bounds):
            for record in records:
                yield record
            if context.gate.stopped:
                raise Stopped
    except OffsetGone as error:
        raise FootingLost(f"{topic}/{context.stream} changed under the restore") from error
