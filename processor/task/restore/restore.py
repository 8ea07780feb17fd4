"""Bringing a stream back after its take-over, from its position and its tables."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from processor.core.directory.directory import OrderDirectory
from processor.core.directory.indexed_stream import IndexedStream
from processor.core.event_time.finished_offsets import EVENTS, ROUTED
from processor.errors import BrokenInvariant, OffsetUnstable, TaskLost, UsageError
from processor.task.context import TaskContext
from processor.task.handover import last_position, require_ours
from processor.task.ports import Offsets, Partition
from processor.task.progress import Progress
from processor.task.restore.orders import restore_orders
from processor.task.restore.origin import require_origin
from processor.task.restore.progress import read_progress, restore_progress
from processor.task.restore.shard import restore_shard
from processor.wire.position import Position

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Restored:
    """All that a task needs to go on.

    ``position`` is None on a first start, and so is ``position_value``, the same as it was written.
    ``offsets`` are the next ones to read of all input topics. ``live_end`` is the end of
    ``orders.live``.
    """

    position: Position | None
    position_value: bytes | None
    orders: IndexedStream
    directory: OrderDirectory
    progress: Progress
    offsets: Mapping[str, int]
    live_end: int


async def restore(context: TaskContext) -> Restored:
    """Restore a stream that was taken over.

    Raises:
        UsageError: going on could lose or double events; the message says what to do.
        BrokenInvariant: a table is not what was committed.
        TaskLost: the broker failed us, or the stream has another owner by now; try again.
        Stopped: the task was told to stop meanwhile.
    """
    found: list[bytes | None] = []
    try:
        return await _restore(context, found)
    except (BrokenInvariant, UsageError) as error:
        # A process that is no member any more may read tables that another one is writing.
        await require_ours(context)
        if found and await last_position(context) != found[0]:
            raise TaskLost(f"{context.identity.input_name} moved on under the restore") from error
        raise


async def _restore(context: TaskContext, found: list[bytes | None]) -> Restored:
    topics, stream = context.identity.topics, context.stream
    table = await read_progress(context)
    position = table.position
    found.append(table.position_value)
    await require_origin(context, table)
    inputs = {topic: Partition(topic, stream) for topic in topics.inputs}
    bounds = await context.broker.offsets(list(inputs.values()))
    at = {topic: bounds[where] for topic, where in inputs.items()}
    if position is None:
        start = {topic: one.begin for topic, one in at.items()}
        # What nobody has ever read is lost as well.
        start[topics.events] = _events_start(context, 0, at[topics.events])
    else:
        await _compare_group_offset(context, position)
        start = {
            topics.events: _events_start(context, position["events"], at[topics.events]),
            topics.routed: _queue_start(context, topics.routed, position["routed"], at),
            topics.claims: _queue_start(context, topics.claims, position["claims"], at),
        }
    orders, live_end = await restore_orders(context, position)
    directory = await restore_shard(context, position)
    finished = start[topics.events], start[topics.routed]
    progress, read = await restore_progress(context, table, orders, finished)
    offsets = {**start, topics.events: read[EVENTS], topics.routed: read[ROUTED]}
    return Restored(position, table.position_value, orders, directory, progress, offsets, live_end)


async def _compare_group_offset(context: TaskContext, position: Position) -> None:
    """Say where the group's offset differs; the take-over's round mends it."""
    try:
        offset = await context.broker.group_offset(context.stream)
    except OffsetUnstable:
        return  # somebody is just about to change it
    if offset != position["events"]:
        _log.warning(
            "stream %d: group %s has the offset %s on %s, its position says %d: going on from the "
            "position, and mending the group's",
            context.stream,
            context.identity.app_id,
            "none" if offset is None else offset,
            context.identity.input_name,
            position["events"],
        )


def _events_start(context: TaskContext, offset: int, at: Offsets) -> int:
    task = context.identity
    if offset > at.end:
        raise UsageError(
            f"the position {offset} is past the end {at.end} of {task.input_name}: the topic has "
            "lost records; start with a new --topic-prefix"
        )
    if offset >= at.begin:
        return offset
    if not task.accept_lost_events:
        raise UsageError(
            f"events {offset} to {at.begin - 1} of {task.input_name} were removed by retention "
            "before they were read: run with --accept-lost-events to go on without them"
        )
    return at.begin


def _queue_start(context: TaskContext, topic: str, offset: int, at: Mapping[str, Offsets]) -> int:
    begin, _, end = at[topic]
    if begin <= offset <= end:
        return offset
    raise UsageError(
        f"the position {offset} of {topic}/{context.stream} is not in {begin} to {end}, so claims "
        "or commands on their way are lost: put the topic back as it was, or start with a new "
        "--topic-prefix"
    )
