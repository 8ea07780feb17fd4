"""Bringing a stream's orders back from ``orders.live``."""

from processor.core.directory.indexed_stream import IndexedStream
from processor.core.orders.order import Order, from_record
from processor.core.sharding import stream_of
from processor.errors import BrokenInvariant, UsageError
from processor.task.context import TaskContext
from processor.task.identity import TaskIdentity
from processor.task.restore.table import read_table
from processor.wire.live_order import SEQ_HEADER, parse_live_order
from processor.wire.position import Position
from processor.wire.record import InputRecord


async def restore_orders(
    context: TaskContext, position: Position | None
) -> tuple[IndexedStream, int]:
    """Read the live orders.

    Args:
        context: the task's.
        position: where the stream stands; None on a first start.

    Returns:
        The orders, and the end of ``orders.live``.

    Raises:
        UsageError: the number of partitions was changed.
        BrokenInvariant: the table is not what was committed.
        TaskLost: the broker failed us; try again.
        Stopped: the task was told to stop meanwhile.
    """
    task = context.identity
    table: dict[str, Order] = {}
    seen_seq = 0

    def take(record: InputRecord, where: str) -> None:
        nonlocal seen_seq
        seen_seq = max(seen_seq, _take(table, record, task, where))

    live_end = await read_table(context, task.topics.live, take)
    seq, live_orders, seq_sum = (
        (0, 0, 0)
        if position is None
        else (position["seq"], position["live_orders"], position["seq_sum"])
    )
    orders = IndexedStream(
        task.stream,
        task.num_streams,
        # Compaction may have dropped the tombstone with the highest one.
        seq=max(seen_seq, seq, live_end),
        orders=sorted(table.values(), key=lambda order: order.placed_seq),
        local=context.shortcuts,
    )
    if (len(orders), orders.seq_sum) != (live_orders, seq_sum):
        raise BrokenInvariant(
            f"{task.topics.live}/{task.stream} holds {len(orders)} live orders that are not the "
            f"{live_orders} of the stream's position: records were lost or written by somebody "
            "else; check the topic's cleanup.policy and who may write to it"
        )
    return orders, live_end


def _take(table: dict[str, Order], record: InputRecord, task: TaskIdentity, where: str) -> int:
    """Take the next record of the table; its ``seq``."""
    if record.value is None:
        order_id = (record.key or b"").decode()
        table.pop(order_id, None)
        return int(dict(record.headers)[SEQ_HEADER] or b"")
    order = from_record(parse_live_order(record.value))
    if stream_of(order.user_id, task.num_streams) != task.stream:
        raise UsageError(
            f"{where} is an order of user {order.user_id!r}, who belongs to stream "
            f"{stream_of(order.user_id, task.num_streams)} of {task.num_streams}: the number of "
            "partitions was changed; use topics with the old number, or a new --topic-prefix"
        )
    table[order.order_id] = order
    return order.seq
