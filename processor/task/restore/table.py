"""Reading a stream's partition of a table to its end."""

from collections.abc import AsyncIterator, Callable

from processor.errors import BrokenInvariant, OffsetGone, TaskLost
from processor.reader.ports import Bounds
from processor.reader.read_range import batches
from processor.task.context import TaskContext
from processor.task.gate import Stopped
from processor.wire.record import InputRecord


async def read_table(
    context: TaskContext, topic: str, take: Callable[[InputRecord, str], None]
) -> int:
    """Read all committed records of the stream's partition of a topic.

    Args:
        context: the task's.
        topic: which one.
        take: is given each record and its name for messages; raises ValueError or KeyError when it
            is none of the processor's.

    Returns:
        The end of the partition.

    Raises:
        BrokenInvariant: a record is none of the processor's.
        TaskLost: the broker failed us; try again.
        Stopped: the task was told to stop meanwhile.
    """
    bounds = await context.broker.bounds(topic, context.stream)
    async for record in read_records(context, topic, bounds):
        where = f"{topic}/{context.stream} at offset {record.offset}"
        try:
            take(record, where)
        except (ValueError, KeyError) as error:
            raise BrokenInvariant(
                f"{where} is not a record of this processor ({type(error).__name__}): find out who "
                "else writes to the topic"
            ) from error
    return bounds.end


async def read_records(
    context: TaskContext, topic: str, bounds: Bounds
) -> AsyncIterator[InputRecord]:
    """The committed records of the stream's partition of a topic, between two offsets.

    Raises:
        TaskLost: the broker failed us, or the records are gone meanwhile.
        Stopped: the task was told to stop meanwhile.
    """
    try:
        async for records in batches(context.broker, topic, context.stream, bounds):
            for record in records:
                yield record
            if context.gate.stopped:
                raise Stopped
    except OffsetGone as error:
        raise TaskLost(f"{topic}/{context.stream} changed under the restore") from error
