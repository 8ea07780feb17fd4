"""The live orders as of now, as any reader of the output topics can know them."""

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

from processor.core.orders.merge import merge_streams
from processor.core.orders.order import Order
from processor.errors import UsageError
from processor.reader.ports import Bounds, Log
from processor.reader.read_range import batches
from processor.reader.view import Snapshot, SnapshotTable, StreamView
from processor.reader.view_change import ViewChange
from processor.topics import Topics
from processor.wire.record import InputRecord

# Each stream that is read has a connection: enough at once to be quick, not so many as streams.
_STREAMS_AT_ONCE = 8


class ReadStream(NamedTuple):
    """A stream's list, and the offset of ``orders.live`` from which on it is not up to date."""

    view: StreamView
    next_offset: int


async def read_live_orders(
    log: Log, topics: Topics, streams: Iterable[int], *, oldest_snapshot_us: int
) -> list[tuple[int, Order]]:
    """Read streams' latest whole snapshots, and the changes after them.

    Args:
        log: where to read.
        topics: the topics' names.
        streams: which streams to read.
        oldest_snapshot_us: use no snapshot that was taken before, microseconds since the epoch:
            tombstones of orders that it still has may be gone.

    Returns:
        Pairs of stream and order, merged by ``placed_at``, each stream in placement order.
    """
    read = await read_streams(log, topics, streams, oldest_snapshot_us=oldest_snapshot_us)
    return merge_streams((stream, one.view.orders()) for stream, one in read.items())


async def read_streams(
    log: Log, topics: Topics, streams: Iterable[int], *, oldest_snapshot_us: int
) -> dict[int, ReadStream]:
    """The same as views that can be kept up to date."""
    turn = asyncio.Semaphore(_STREAMS_AT_ONCE)

    async def read(stream: int) -> tuple[int, ReadStream]:
        async with turn:
            return stream, await _read_stream(log, topics, stream, oldest_snapshot_us)

    return dict(await asyncio.gather(*map(read, streams)))


async def _read_stream(
    log: Log, topics: Topics, stream: int, oldest_snapshot_us: int
) -> ReadStream:
    snapshot = await _latest_snapshot(log, topics, stream)
    if snapshot is not None and snapshot.taken_at_us < oldest_snapshot_us:
        snapshot = None
    live = await log.bounds(topics.live, stream)
    if snapshot is not None:
        live = Bounds(max(live.begin, snapshot.begin["live_offset"]), live.end)
    view = StreamView(snapshot)
    async for records in batches(log, topics.live, stream, live):
        for record in records:
            put(view, topics, stream, record)
    return ReadStream(view, max(live.begin, live.end))


def put(view: StreamView, topics: Topics, stream: int, record: InputRecord) -> list[ViewChange]:
    """Bring a view up to date by a record of ``orders.live``.

    Raises:
        UsageError: the record is none of the processor's.
    """
    try:
        return view.put(record.key, record.value, record.headers)
    except ValueError as error:
        raise UsageError(
            f"{topics.live}/{stream} at offset {record.offset} is not a record of this processor "
            f"({type(error).__name__}): find out who else writes to the topic"
        ) from error


async def _latest_snapshot(log: Log, topics: Topics, stream: int) -> Snapshot | None:
    table = SnapshotTable()
    bounds = await log.bounds(topics.snapshots, stream)
    async for records in batches(log, topics.snapshots, stream, bounds):
        for record in records:
            table.put(record.key, record.value)
    return table.latest()
