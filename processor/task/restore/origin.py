"""The origin of a stream's tables: written on its first start, checked on every other one."""

from collections.abc import Mapping
from contextlib import aclosing

from processor.core.event_time.progress_table import ProgressTable
from processor.errors import OffsetGone, SessionLost, TaskLost, UsageError
from processor.reader.ports import Bounds
from processor.reader.read_range import batches
from processor.task.context import TaskContext
from processor.task.handover import own_tables
from processor.task.ports import Partition
from processor.task.topic_watch import first_changed, topic_made_anew
from processor.wire.position import ORIGIN_KEY, Origin, dump_origin, parse_origin
from processor.wire.record import NO_HEADERS, InputRecord
from processor.wire.version import SCHEMA

_FIRST = 0
_PAUSE_MS = 50


async def require_own_app(context: TaskContext) -> None:
    """See that the stream is not another app's, before anything of its owner is ended.

    Raises:
        UsageError: it is.
        TaskLost: the broker failed us.
    """
    found = await _read(context, context.stream)
    if found is not None:
        _require_app(context, found)


async def require_origin(context: TaskContext, table: ProgressTable) -> None:
    """See that the stream's tables are this app's, of these topics; on a first start, say so.

    Raises:
        UsageError: they belong to something else.
        TaskLost: the broker failed us.
    """
    found = table.origin
    if found is None or table.position is None:
        await _require_nothing_written(context, table)
    if found is None:
        found = await _begin(context)
    _check(context, found, await context.broker.topic_ids())


async def _require_nothing_written(context: TaskContext, table: ProgressTable) -> None:
    """A first start is told from the tables: there is nothing in them."""
    task = context.identity
    progress = Partition(task.topics.progress, context.stream)
    others = [where for where in own_tables(context) if where != progress]
    ends = await context.broker.offsets(others)
    written = [where for where in others if ends[where].end > 0]
    if table.position is not None or table.extents[0]:
        written.append(progress)
    if written:
        raise UsageError(
            f"{progress} does not say where the stream stands, but {written[0]} has records, so "
            "starting over would apply events twice: put the topic back as it was, or start with a "
            "new --topic-prefix"
        )


async def _begin(context: TaskContext) -> Origin:
    """Write the origin, after that of the first partition."""
    first = await _first_origin(context)
    _require_app(context, first)
    return first if context.stream == _FIRST else await _write(context, context.stream)


async def _first_origin(context: TaskContext) -> Origin:
    """The origin of the first partition, which decides whose all of them are.

    Two apps that start at once would else get some of the streams each, and neither could go on.
    """
    found = await _read(context, _FIRST)
    if found is not None:
        return found
    try:
        return await _write(context, _FIRST)
    except SessionLost:
        # All streams of a process may try at once: another one was quicker.
        await context.clock.sleep(_PAUSE_MS)
        found = await _read(context, _FIRST)
        if found is None:
            raise
        return found


async def _write(context: TaskContext, stream: int) -> Origin:
    """Write a stream's origin; of several that try at once, one does.

    Each needs the same transactional id for it, so the last to acquire it cuts the others off, and
    reads what they have committed.
    """
    task = context.identity
    lock = await context.broker.lock(f"origin:{stream}")
    try:
        await lock.acquire()
        written = await _read(context, stream)
        if written is not None:
            return written
        origin: Origin = {
            "schema": SCHEMA,
            "type": "origin",
            "app_id": task.app_id,
            "generation": task.num_streams,
            "topics": dict(await context.broker.topic_ids()),
        }
        round_ = lock.new_round()
        where = Partition(task.topics.progress, stream)
        round_.add(where, [(ORIGIN_KEY.encode(), dump_origin(origin), NO_HEADERS)])
        await lock.commit(round_, {}, None)
        return origin
    finally:
        await lock.close()


async def _read(context: TaskContext, stream: int) -> Origin | None:
    """A stream's origin: the first record of the partition, as nothing is written before it."""
    where = Partition(context.identity.topics.progress, stream)
    at = (await context.broker.offsets([where]))[where]
    try:
        async with aclosing(
            batches(context.broker, *where, Bounds(at.begin, at.stable_end))
        ) as found:
            async for records in found:
                if records:
                    return _origin_of(records[0])
    except OffsetGone as error:
        raise TaskLost(f"{where} changed under the look at its origin") from error
    return None


def _origin_of(record: InputRecord) -> Origin | None:
    if record.key != ORIGIN_KEY.encode() or record.value is None:
        return None
    try:
        return parse_origin(record.value)
    except ValueError:
        return None  # the restore says what is wrong with it


def _check(context: TaskContext, origin: Origin, topic_ids: Mapping[str, str]) -> None:
    task = context.identity
    _require_app(context, origin)
    if origin["generation"] != task.num_streams:
        raise UsageError(
            f"{task.topics.events} had {origin['generation']} partitions when the app first "
            f"started and has {task.num_streams} now, so users would change streams: use topics "
            "with the old number of partitions, or a new --topic-prefix"
        )
    changed = first_changed(origin["topics"], topic_ids)
    if changed is not None:
        raise UsageError(topic_made_anew(changed))


def _require_app(context: TaskContext, origin: Origin) -> None:
    if origin["app_id"] != context.identity.app_id:
        raise UsageError(
            f"the topics {context.identity.topics.prefix}* belong to the app {origin['app_id']}: "
            f"run with --app-id {origin['app_id']}, or start with a new --topic-prefix"
        )
