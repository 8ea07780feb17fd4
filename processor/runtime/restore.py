"""Bringing a stream back: from its committed offset and ``orders.live``, or from nothing."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from processor.core.directory import OrderDirectory
from processor.core.finished import EVENTS, ROUTED
from processor.core.indexed_stream import IndexedStream
from processor.core.order import Order, from_record
from processor.core.sharding import stream_of
from processor.core.stream import OrderStream
from processor.errors import BrokenInvariant, FootingLost, OffsetGone, UsageError
from processor.runtime.context import TaskContext
from processor.runtime.gate import Gate, Stopped
from processor.runtime.log import batches
from processor.runtime.plan import RestorePlan
from processor.runtime.ports import Bounds, Broker, Committed, InputRecord, StreamWriter
from processor.runtime.restore_progress import Progress, restore_progress
from processor.runtime.restore_shard import queue_offsets, require_no_directory, restore_shard
from schemas.commit import CommitMetadata, parse_commit
from schemas.live_order import SEQ_HEADER, parse_live_order

_NO_OFFSET_TRIES = 5
_NO_OFFSET_DELAY_S = 0.2


@dataclass(frozen=True, slots=True)
class RestoredStream:
    """The orders as the committed offset left them.

    ``metadata`` is None on a first start, when nothing was ever written; ``next_offset`` is the
    committed offset of ``orders.events``, and ``live_end`` the end of ``orders.live``.
    """

    orders: OrderStream
    next_offset: int
    live_end: int
    metadata: CommitMetadata | None


@dataclass(frozen=True, slots=True)
class Restored:
    """All that a task needs to go on.

    ``directory`` is its shard, None when the directory is off; ``offsets`` are those to read on
    from, of all input topics.
    """

    stream: RestoredStream
    directory: OrderDirectory | None
    progress: Progress
    offsets: Mapping[str, int]

    @property
    def claimed_seq(self) -> int | None:
        """Up to which order the directory, which was off so far, was told; None if it was on."""
        metadata = self.stream.metadata
        if self.directory is None or metadata is None or "directory" in metadata:
            return None
        return metadata.get("claimed_seq", 0)


async def restore(context: TaskContext, writer: StreamWriter) -> Restored:
    """Restore a stream whose previous owner is cut off already.

    Raises:
        UsageError: going on could lose or double events; the message says what to do.
        BrokenInvariant: a table is not what was committed.
        FootingLost: the broker failed us, or the stream has another owner by now; try again.
        Stopped: the task was told to stop meanwhile.
    """
    broker, plan = context.broker, context.plan
    await writer.settle()
    committed = await _committed(broker, plan)
    try:
        return await _restore(context, committed)
    except (BrokenInvariant, UsageError) as error:
        # What was read so far and what was read last may not belong together.
        if await broker.committed(plan.stream) != committed:
            raise FootingLost(f"{plan.input_name} moved on under the restore") from error
        raise


async def _restore(context: TaskContext, committed: Committed | None) -> Restored:
    broker, plan, gate = context.broker, context.plan, context.gate
    topics = plan.topics
    stream = await _restore_stream(broker, plan, gate, committed)
    directory: OrderDirectory | None = None
    queues: dict[str, int] = {}
    if topics.directory_on:
        queues = await queue_offsets(broker, plan, stream.metadata)
        directory = await restore_shard(
            broker, plan, stream.metadata, gate, context.settings.routing_grace_ms
        )
    else:
        await require_no_directory(broker, plan, stream.metadata)
    finished = stream.next_offset, queues.get(topics.routed, 0)
    progress, read = await restore_progress(context, stream.orders, stream.metadata, finished)
    offsets = {topics.events: read[EVENTS], **queues}
    if topics.directory_on:
        offsets[topics.routed] = read[ROUTED]
    return Restored(stream, directory, progress, offsets)


async def _restore_stream(
    broker: Broker, plan: RestorePlan, gate: Gate, committed: Committed | None
) -> RestoredStream:
    events = await broker.bounds(plan.topics.events, plan.stream)
    live = await broker.bounds(plan.topics.live, plan.stream)
    kind = IndexedStream if plan.topics.directory_on else OrderStream
    next_offset = _start_offset(plan, events, committed or Committed(0, ""))
    if committed is None:
        return RestoredStream(kind(plan.stream, plan.num_streams), next_offset, live.end, None)
    metadata = parse_commit(committed.metadata)
    if metadata is None:
        raise UsageError(
            f"the offset {committed.offset} of group {plan.app_id} on {plan.input_name} was "
            "committed by another tool, so it does not say which orders belong to it: "
            "start with a new --topic-prefix, or put back the offset that this processor committed"
        )
    table, seen_seq = await _read_table(broker, plan, live, gate)
    if seen_seq > metadata["seq"]:
        # The broker may name the offset before last for some milliseconds after a commit.
        raise FootingLost(
            f"{plan.topics.live}/{plan.stream} is at seq {seen_seq}, "
            f"the committed offset still at {metadata['seq']}"
        )
    orders = kind(
        plan.stream,
        plan.num_streams,
        seq=max(seen_seq, metadata["seq"], live.end),
        orders=sorted(table.values(), key=lambda order: order.placed_seq),
    )
    if (len(orders), orders.seq_sum) != (metadata["live_orders"], metadata["seq_sum"]):
        raise BrokenInvariant(
            f"{plan.topics.live}/{plan.stream} holds {len(orders)} live orders that are not the "
            f"{metadata['live_orders']} committed with offset {committed.offset} of "
            f"{plan.input_name}: records were lost or written by somebody else; check the topic's "
            "cleanup.policy and who may write to it"
        )
    return RestoredStream(orders, next_offset, live.end, metadata)


async def _committed(broker: Broker, plan: RestorePlan) -> Committed | None:
    """The committed offset, or None if this is a first start: nothing was ever written."""
    written: list[str] = []
    for _ in range(_NO_OFFSET_TRIES):
        committed = await broker.committed(plan.stream)
        if committed is not None:
            return committed
        written = [
            topic
            for topic in plan.topics.outputs
            if (await broker.bounds(topic, plan.stream)).end > 0
        ]
        if not written:
            return None
        # Right after a commit the broker may not know of it yet: what is refused here stops
        # the process, so ask more than once.
        await asyncio.sleep(_NO_OFFSET_DELAY_S)
    raise UsageError(
        f"group {plan.app_id} has no committed offset on {plan.input_name}, but "
        f"{written[0]}/{plan.stream} has records, so starting over would apply events twice: "
        "run with the --app-id that wrote them, or start with a new --topic-prefix"
    )


def _start_offset(plan: RestorePlan, events: Bounds, committed: Committed) -> int:
    if committed.offset > events.end:
        raise UsageError(
            f"the committed offset {committed.offset} is past the end {events.end} of "
            f"{plan.input_name}: the topic was deleted and made anew; "
            "start with a new --topic-prefix"
        )
    if committed.offset >= events.begin:
        return committed.offset
    if not plan.accept_lost_events:
        raise UsageError(
            f"events {committed.offset} to {events.begin - 1} of {plan.input_name} were removed by "
            "retention before they were read: run with --accept-lost-events to go on without them"
        )
    return events.begin


async def _read_table(
    broker: Broker, plan: RestorePlan, live: Bounds, gate: Gate
) -> tuple[dict[str, Order], int]:
    """The live orders by id, and the highest ``seq`` that was seen."""
    table: dict[str, Order] = {}
    seen_seq = 0
    try:
        async for records in batches(broker, plan.topics.live, plan.stream, live):
            for record in records:
                seen_seq = max(seen_seq, _take(table, record, plan))
            if gate.stopped:
                raise Stopped
    except OffsetGone as error:
        raise FootingLost(f"{plan.topics.live}/{plan.stream} changed under the restore") from error
    return table, seen_seq


def _take(table: dict[str, Order], record: InputRecord, plan: RestorePlan) -> int:
    where = f"{plan.topics.live}/{plan.stream} at offset {record.offset}"
    try:
        if record.value is None:
            order_id = (record.key or b"").decode()
            table.pop(order_id, None)
            return int(dict(record.headers)[SEQ_HEADER] or b"")
        order = from_record(parse_live_order(record.value))
    except (ValueError, KeyError) as error:
        raise BrokenInvariant(
            f"{where} is not a record of this processor ({type(error).__name__}): "
            "find out who else writes to the topic"
        ) from error
    if stream_of(order.user_id, plan.num_streams) != plan.stream:
        raise UsageError(
            f"{where} is an order of user {order.user_id!r}, who belongs to stream "
            f"{stream_of(order.user_id, plan.num_streams)} of {plan.num_streams}: the number of "
            "partitions was changed; use topics with the old number, or a new --topic-prefix"
        )
    table[order.order_id] = order
    return order.seq
