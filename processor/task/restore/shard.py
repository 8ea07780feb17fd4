"""Bringing a shard of the directory back from ``orders.directory``."""

from processor.core.directory.directory import OrderDirectory
from processor.core.directory.directory_records import DirectoryTable
from processor.core.sharding import shard_of
from processor.errors import BrokenInvariant, UsageError
from processor.task.context import TaskContext
from processor.task.restore.table import read_table
from processor.wire.position import DirectoryExtents, Position
from processor.wire.record import InputRecord

_NOTHING: DirectoryExtents = {"owners": 0, "owners_sum": 0, "parked": 0}


async def restore_shard(context: TaskContext, position: Position | None) -> OrderDirectory:
    """Read the shard's owners and parked commands.

    Args:
        context: the task's.
        position: where the stream stands; None on a first start.

    Raises:
        UsageError: the number of partitions was changed.
        BrokenInvariant: the table is not what was committed.
        TaskLost: the broker failed us; try again.
        Stopped: the task was told to stop meanwhile.
    """
    task = context.identity
    table = DirectoryTable()

    def take(record: InputRecord, where: str) -> None:
        order_id = table.put(record.key, record.value, record.headers)
        if shard_of(order_id, task.num_streams) != task.stream:
            raise UsageError(
                f"{where} is about order {order_id!r}, which belongs to partition "
                f"{shard_of(order_id, task.num_streams)} of {task.num_streams}: the number of "
                "partitions was changed; use topics with the old number, or a new --topic-prefix"
            )

    await read_table(context, task.topics.directory, take)
    directory = table.directory(
        task.num_streams, routing_grace_ms=context.settings.routing_grace_ms
    )
    committed = _NOTHING if position is None else position["directory"]
    if extents_of(directory) != committed:
        raise BrokenInvariant(
            f"{task.topics.directory}/{task.stream} holds {directory.owner_count} owners and "
            f"{directory.parked_count} parked commands that are not the {committed['owners']} and "
            f"{committed['parked']} of the stream's position: records were lost or written by "
            "somebody else; check the topic's cleanup.policy and who may write to it"
        )
    return directory


def extents_of(directory: OrderDirectory) -> DirectoryExtents:
    """A shard's extents, for the position."""
    return {
        "owners": directory.owner_count,
        "owners_sum": directory.owners_sum,
        "parked": directory.parked_count,
    }
