"""Bringing a stream back: from its committed offset and ``orders.live``, or from nothing."""

import asyncio
from dataclasses import dataclass

from processor.core.order import Order, from_record
from processor.core.sharding import stream_of
from processor.core.stream import OrderStream
from processor.errors import BrokenInvariant, FootingLost, OffsetGone, UsageError
from processor.runtime.gate import Gate, Stopped
from processor.runtime.log import batches
from processor.runtime.ports import Bounds, Broker, Committed, InputRecord
from processor.topics import Topics
from schemas.commit import CommitMetadata, parse_commit
from schemas.live_order import SEQ_HEADER, parse_live_order

_NO_OFFSET_TRIES = 5
_NO_OFFSET_DELAY_S = 0.2


@dataclass(frozen=True, slots=True)
class Restored:
    """A stream as its committed offset left it.

    ``metadata`` is None on a first start, when nothing was ever written; ``live_end`` is the end
    of ``orders.live``.
    """

    orders: OrderStream
    next_offset: int
    live_end: int
    metadata: CommitMetadata | None


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """What a restore is of, and how much loss the user has accepted."""

    stream: int
    num_streams: int
    topics: Topics
    app_id: str
    accept_lost_events: bool = False

    @property
    def input_name(self) -> str:
        """The input partition, for messages."""
        return f"{self.topics.events}/{self.stream}"


async def restore(broker: Broker, plan: RestorePlan, gate: Gate) -> Restored:
    """Restore a stream whose previous owner is cut off already.

    Raises:
        UsageError: going on could lose or double events; the message says what to do.
        BrokenInvariant: the table is not what was committed.
        FootingLost: the broker failed us; try again.
        Stopped: the task was told to stop meanwhile.
    """
    committed = await _committed(broker, plan)
    events = await broker.bounds(plan.topics.events, plan.stream)
    live = await broker.bounds(plan.topics.live, plan.stream)
    if committed is None:
        return Restored(
            OrderStream(plan.stream, plan.num_streams),
            _start_offset(plan, events, Committed(0, "")),
            live.end,
            None,
        )
    next_offset = _start_offset(plan, events, committed)
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
    orders = OrderStream(
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
    return Restored(orders, next_offset, live.end, metadata)


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
