"""The live orders as of now, as any reader of the output topics can know them."""

from processor.core.merge import merge_streams
from processor.core.order import Order
from processor.core.view import Snapshot, SnapshotTable, StreamView
from processor.runtime.log import batches
from processor.runtime.ports import Bounds, Log
from processor.topics import Topics

# With an older one, tombstones of orders that it still has may be gone: half of what
# delete.retention.ms is at least.
_MAX_SNAPSHOT_AGE_US = 43_200_000_000


async def read_live_orders(
    log: Log, topics: Topics, num_streams: int, now_us: int
) -> list[tuple[int, Order]]:
    """Read all streams' latest whole snapshots, and the changes after them.

    Args:
        log: where to read.
        topics: the topics' names.
        num_streams: how many streams there are.
        now_us: wall clock, microseconds since the epoch.

    Returns:
        Pairs of stream and order, merged by ``placed_at``, each stream in placement order.
    """
    views = [
        (stream, await _read_stream(log, topics, stream, now_us)) for stream in range(num_streams)
    ]
    return merge_streams((stream, view.orders()) for stream, view in views)


async def _read_stream(log: Log, topics: Topics, stream: int, now_us: int) -> StreamView:
    snapshot = await _latest_snapshot(log, topics, stream)
    if snapshot is not None and now_us - snapshot.taken_at_us > _MAX_SNAPSHOT_AGE_US:
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
