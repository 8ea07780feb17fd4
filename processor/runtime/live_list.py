"""The live orders as of now, as any reader of the output topics can know them."""

from processor.core.merge import merge_streams
from processor.core.order import Order
from processor.core.view import Snapshot, SnapshotTable, StreamView
from processor.runtime.log import batches
from processor.runtime.ports import Bounds, Log
from processor.topics import Topics


async def read_live_orders(
    log: Log, topics: Topics, num_streams: int, *, oldest_snapshot_us: int
) -> list[tuple[int, Order]]:
    """Read all streams' latest whole snapshots, and the changes after them.

    Args:
        log: where to read.
        topics: the topics' names.
        num_streams: how many streams there are.
        oldest_snapshot_us: use no snapshot that was taken before, microseconds since the epoch:
            tombstones of orders that it still has may be gone.

    Returns:
        Pairs of stream and order, merged by ``placed_at``, each stream in placement order.
    """
    views = [
        (stream, await _read_stream(log, topics, stream, oldest_snapshot_us))
        for stream in range(num_streams)
    ]
    return merge_streams((stream, view.orders()) for stream, view in views)


async def _read_stream(
    log: Log, topics: Topics, stream: int, oldest_snapshot_us: int
) -> StreamView:
    snapshot = await _latest_snapshot(log, topics, stream)
    if snapshot is not None and snapshot.taken_at_us < oldest_snapshot_us:
        snapshot = None
    live = await log.bounds(topics.live, stream)
    if snapshot is not None:
        live = Bounds(max(live.begin, snapshot.begin["live_offset"]), live.end)
    view = StreamView(snapshot)
    async for records in batches(log, topics.live, stream, live):
        for record in records:
            view.put(record.key, record.value, record.headers)
    return view


async def _latest_snapshot(log: Log, topics: Topics, stream: int) -> Snapshot | None:
    table = SnapshotTable()
    bounds = await log.bounds(topics.snapshots, stream)
    async for records in batches(log, topics.snapshots, stream, bounds):
        for record in records:
            table.put(record.key, record.value)
    return table.latest()
