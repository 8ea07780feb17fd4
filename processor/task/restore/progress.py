"""Bringing back what a task knows beside its orders: ids it has seen, and events it holds."""

from processor.core.directory.indexed_stream import IndexedStream
from processor.core.directory.routed_records import read_routed
from processor.core.event_time.event_order import EventOrder
from processor.core.event_time.finished_offsets import EVENTS, ROUTED
from processor.core.event_time.progress_table import ProgressTable
from processor.core.event_time.seen_blocks import SeenBlocks
from processor.core.event_time.seen_ids import SeenIds
from processor.errors import BrokenInvariant, UsageError
from processor.reader.ports import Bounds
from processor.task.context import TaskContext
from processor.task.event_inputs import read_inputs
from processor.task.progress import Progress
from processor.task.restore.table import read_records, read_table
from processor.wire.event import Refusal
from processor.wire.position import ProgressExtents, ReorderMark
from processor.wire.record import InputRecord

Offsets = tuple[int, int]
"""Of ``orders.events`` and of ``orders.routed``."""

_NOTHING: ProgressExtents = {"seq": 0, "records": 0, "sum": 0}


async def read_progress(context: TaskContext) -> ProgressTable:
    """Read the stream's partition of ``orders.progress``.

    Raises:
        BrokenInvariant: the topic does not have what was committed.
        TaskLost: the broker failed us; try again.
        Stopped: the task was told to stop meanwhile.
    """
    topic, stream = context.identity.topics.progress, context.stream
    table = ProgressTable()

    def take(record: InputRecord, _where: str) -> None:
        table.put(record.key, record.value, record.headers)

    await read_table(context, topic, take)
    committed = _NOTHING if table.position is None else table.position["progress"]
    if table.extents != (committed["records"], committed["sum"]):
        raise BrokenInvariant(
            f"{topic}/{stream} holds {table.extents[0]} keys that are not the "
            f"{committed['records']} of the stream's position: records were lost or written by "
            "somebody else; check the topic's cleanup.policy and who may write to it"
        )
    return table


async def restore_progress(
    context: TaskContext, table: ProgressTable, orders: IndexedStream, committed: Offsets
) -> tuple[Progress, Offsets]:
    """Restore a task's progress, after its orders.

    Args:
        context: the task's.
        table: its partition of ``orders.progress``.
        orders: its stream.
        committed: the offsets of the position.

    Returns:
        The progress, and the offsets to read on from.

    Raises:
        BrokenInvariant: the topic does not have what was committed.
        UsageError: what was read before is gone.
        TaskLost: the broker failed us; try again.
        Stopped: the task was told to stop meanwhile.
    """
    position = table.position
    log = table.log(0 if position is None else position["progress"]["seq"])
    seen: SeenIds | None = None
    blocks: SeenBlocks | None = None
    if context.settings.dedupe_events:
        events = 0 if position is None else position.get("finished_events", 0)
        seen, blocks = table.seen_ids(log, context.settings.dedupe_events, events)
    else:
        table.remove_ids(log)
    mark = None if position is None else position.get("reorder")
    if mark is None and context.settings.reorder.window_ms == 0:
        return Progress(log, seen, blocks, None), committed
    finished = table.finished_offsets(log)
    order = EventOrder(orders, context.settings.reorder, finished, seen=seen, mark=mark)
    read = committed if mark is None else await _put_back(context, order, table, committed, mark)
    return Progress(log, seen, blocks, order), read


async def _put_back(
    context: TaskContext,
    order: EventOrder,
    table: ProgressTable,
    committed: Offsets,
    mark: ReorderMark,
) -> Offsets:
    """Hold the events that were held; the offsets to read on from."""
    topics = context.identity.topics
    finished = table.finished(committed)
    read = (
        max(mark["events_read"], committed[EVENTS]),
        max(mark["routed_read"], committed[ROUTED]),
    )
    await _require_there(context, topics.events, read[EVENTS])
    unread = Bounds(committed[EVENTS], read[EVENTS])
    async for record in read_records(context, topics.events, unread):
        inputs = read_inputs([record], context.settings.max_event_bytes, _answered_already)
        order.put_back_events(inputs, [record], finished[EVENTS])
    await _require_there(context, topics.routed, read[ROUTED])
    unread = Bounds(committed[ROUTED], read[ROUTED])
    async for record in read_records(context, topics.routed, unread):
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
            f"{end}: the topic has lost records; start with a new --topic-prefix"
        )


def _answered_already(record: InputRecord, refusal: Refusal) -> None:
    """Refused records are not held."""
