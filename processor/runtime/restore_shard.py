"""Bringing a shard of the directory back, and seeing that it is turned on and off in good order."""

from processor.core.directory import OrderDirectory
from processor.core.directory_records import DirectoryTable
from processor.core.sharding import shard_of
from processor.errors import BrokenInvariant, FootingLost, OffsetGone, UsageError
from processor.runtime.gate import Gate, Stopped
from processor.runtime.log import batches
from processor.runtime.plan import RestorePlan
from processor.runtime.ports import Bounds, Broker, InputRecord
from processor.topics import Topics
from schemas.commit import CommitMetadata, DirectoryExtents

_NOTHING: DirectoryExtents = {"owners": 0, "owners_sum": 0, "parked": 0}


async def queue_offsets(
    broker: Broker, plan: RestorePlan, metadata: CommitMetadata | None
) -> dict[str, int]:
    """Where to go on in each queue: at its begin, as long as the directory was off.

    Raises:
        UsageError: what was not read yet is gone.
        FootingLost: the broker failed us.
    """
    committed = await broker.queue_offsets(plan.stream, plan.topics.queues)
    known = metadata is not None and "directory" in metadata
    offsets = {}
    for topic in plan.topics.queues:
        bounds = await broker.bounds(topic, plan.stream)
        offset = committed.get(topic) if known else bounds.begin
        offsets[topic] = _require_within(plan, topic, offset, bounds)
    return offsets


def _require_within(plan: RestorePlan, topic: str, offset: int | None, bounds: Bounds) -> int:
    if offset is not None and bounds.begin <= offset <= bounds.end:
        return offset
    told = "no committed offset" if offset is None else f"the committed offset {offset}"
    raise UsageError(
        f"group {plan.app_id} has {told} on {topic}/{plan.stream}, which has {bounds.begin} to "
        f"{bounds.end}, so claims or commands on their way are lost: put the topic and the offset "
        "back as they were, or start with a new --topic-prefix"
    )


async def restore_shard(
    broker: Broker,
    plan: RestorePlan,
    metadata: CommitMetadata | None,
    gate: Gate,
    routing_grace_ms: int,
) -> OrderDirectory:
    """Restore a shard whose previous owner is cut off already.

    Raises:
        UsageError: the number of partitions was changed.
        BrokenInvariant: the table is not what was committed.
        FootingLost: the broker failed us; try again.
        Stopped: the task was told to stop meanwhile.
    """
    topic = plan.topics.directory
    table = DirectoryTable()
    try:
        bounds = await broker.bounds(topic, plan.stream)
        async for records in batches(broker, topic, plan.stream, bounds):
            for record in records:
                _take(table, record, plan)
            if gate.stopped:
                raise Stopped
    except OffsetGone as error:
        raise FootingLost(f"{topic}/{plan.stream} changed under the restore") from error
    directory = table.directory(plan.num_streams, routing_grace_ms=routing_grace_ms)
    committed = _NOTHING if metadata is None else metadata.get("directory", _NOTHING)
    if extents_of(directory) != committed:
        raise BrokenInvariant(
            f"{topic}/{plan.stream} holds {directory.owner_count} owners and "
            f"{directory.parked_count} parked commands that are not the {committed['owners']} and "
            f"{committed['parked']} committed with the offset of {plan.input_name}: records were "
            "lost or written by somebody else; check the topic's cleanup.policy and who may "
            "write to it"
        )
    return directory


def extents_of(directory: OrderDirectory) -> DirectoryExtents:
    """What a shard holds, for the commit metadata."""
    return {
        "owners": directory.owner_count,
        "owners_sum": directory.owners_sum,
        "parked": directory.parked_count,
    }


def _take(table: DirectoryTable, record: InputRecord, plan: RestorePlan) -> None:
    where = f"{plan.topics.directory}/{plan.stream} at offset {record.offset}"
    try:
        order_id = table.put(record.key, record.value, record.headers)
    except ValueError as error:
        raise BrokenInvariant(
            f"{where} is not a record of this processor ({type(error).__name__}): "
            "find out who else writes to the topic"
        ) from error
    if shard_of(order_id, plan.num_streams) != plan.stream:
        raise UsageError(
            f"{where} is about order {order_id!r}, which belongs to partition "
            f"{shard_of(order_id, plan.num_streams)} of {plan.num_streams}: the number of "
            "partitions was changed; use topics with the old number, or a new --topic-prefix"
        )


async def require_no_directory(
    broker: Broker, plan: RestorePlan, metadata: CommitMetadata | None
) -> None:
    """See that nothing depends on a directory that was on and is off now; empty its queues.

    Raises:
        UsageError: something does.
        FootingLost: the broker failed us.
    """
    # One that was being turned on has told the directory of orders too.
    if metadata is None or metadata.keys().isdisjoint(("directory", "claimed_seq")):
        return
    extents = metadata.get("directory", _NOTHING)
    left = [
        f"{what}: {count}"
        for what, count in (
            ("live orders", metadata["live_orders"]),
            ("order ids in the directory", extents["owners"]),
            ("waiting commands", extents["parked"]),
        )
        if count
    ]
    topics = Topics(plan.topics.prefix, directory_on=True)
    read = await broker.queue_offsets(plan.stream, topics.queues)
    for topic in topics.queues:
        await _require_settled(broker, topic, plan.stream)
        unread = await _has_records(broker, topic, plan.stream, read.get(topic, 0))
        left += [f"unread records on {topic}"] * unread
    if left:
        raise UsageError(
            f"the directory cannot be turned off: stream {plan.stream} still has "
            f"{', '.join(left)}; run with LIVE_ORDERS_DIRECTORY=on, and turn it off when no order "
            "is live and all commands are answered"
        )
    for topic, offset in read.items():
        # Who turns it on again begins where the queues begin.
        await broker.purge(topic, plan.stream, offset)


async def _require_settled(broker: Broker, topic: str, partition: int) -> None:
    """See that no transaction is open, which could still bring records.

    Raises:
        FootingLost: one is; it will not be for long.
    """
    stable = await broker.bounds(topic, partition)
    if await broker.end(topic, partition) > stable.end:
        raise FootingLost(
            f"a transaction is open on {topic}/{partition}; if it does not end within a minute, a "
            "run with LIVE_ORDERS_DIRECTORY=on ends what a crash has left"
        )


async def _has_records(broker: Broker, topic: str, partition: int, offset: int) -> bool:
    bounds = await broker.bounds(topic, partition)
    unread = Bounds(max(offset, bounds.begin), bounds.end)
    return any([bool(records) async for records in batches(broker, topic, partition, unread)])
