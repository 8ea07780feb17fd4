"""Taking a stream over from its last owner, and finding a stream untouched that comes back.

All owners of a stream name themselves in its position. A new owner makes sure that no transaction
of the last one can still change the stream's own tables, and only then reads them. It ends exactly
the transaction that it has seen, and only while the group says that the stream is its own. A
healthy process that gave the stream up is left alone.
"""

import logging
from collections.abc import Mapping, Sequence

from processor.errors import OffsetGone, OffsetUnstable, TaskLost
from processor.reader.ports import Bounds
from processor.reader.read_range import batches
from processor.task.context import TaskContext
from processor.task.gate import Stopped
from processor.task.ports import Offsets, Partition
from processor.wire.position import POSITION_KEY, parse_position

_log = logging.getLogger(__name__)

_KEY = POSITION_KEY.encode()
# A position stands at the end of its transaction: one is mostly among the last records.
_TAIL_RECORDS = 256
_TAIL_GROWTH = 8
# Markers are written in milliseconds.
_POLL_MS = 5
_MAX_POLL_MS = 100
# When somebody should hear of a transaction that does not end.
_SLOW_MS = 1_000


async def take_over(context: TaskContext) -> None:
    """Return when nobody but this process can change the stream's own tables.

    Raises:
        TaskLost: the stream is not ours any more, or the broker failed us.
        Stopped: the task was told to stop meanwhile.
    """
    own = own_tables(context)
    owner = await _last_owner(context)
    if owner is not None:
        await _end_transaction(context, owner, own)
    ended: set[str] = set()
    settled: set[str] = set()
    while holders := await _settle(context, own, owner):
        # An owner that died in its first take-over is named in no position.
        for holder in holders:
            if await _end_transaction(context, holder, own):
                continue
            if holder in ended - settled:
                # Its transaction has ended, and hangs all the same.
                await require_ours(context)
                await context.broker.settle_transaction(holder)
                settled.add(holder)
            ended.add(holder)


async def require_untouched(context: TaskContext, written: bytes | None) -> None:
    """See that the stream still has the position that this process has written or found last.

    Raises:
        TaskLost: somebody has, or the broker failed us.
        Stopped: the task was told to stop meanwhile.
    """
    holders = await _settle(context, own_tables(context), None)
    if holders or await last_position(context) != written:
        raise TaskLost("another process has had the stream meanwhile")


def own_tables(context: TaskContext) -> list[Partition]:
    """The partitions that only the stream's owner writes to."""
    return [Partition(topic, context.stream) for topic in context.identity.topics.outputs]


async def last_position(context: TaskContext) -> bytes | None:
    """The last committed position of the stream; None if there is none.

    Raises:
        TaskLost: the broker failed us.
    """
    where = Partition(context.identity.topics.progress, context.stream)
    offsets = (await context.broker.offsets([where]))[where]
    span = _TAIL_RECORDS
    while True:
        begin = max(offsets.begin, offsets.stable_end - span)
        found = await _last_in(context, where, Bounds(begin, offsets.stable_end))
        if found is not None or begin == offsets.begin:
            return found
        span *= _TAIL_GROWTH


async def _last_in(context: TaskContext, where: Partition, bounds: Bounds) -> bytes | None:
    found: bytes | None = None
    try:
        async for records in batches(context.broker, where.topic, where.partition, bounds):
            found = next((one.value for one in reversed(records) if one.key == _KEY), found)
    except OffsetGone as error:
        raise TaskLost(f"{where} changed under the take-over") from error
    return found


async def _last_owner(context: TaskContext) -> str | None:
    position = await last_position(context)
    try:
        return None if position is None else parse_position(position)["owner"]
    except ValueError:
        return None  # the restore says what is wrong with it


async def _end_transaction(context: TaskContext, owner: str, own: Sequence[Partition]) -> bool:
    """End the transaction of another process if it can still change the stream's own tables.

    Returns:
        Whether there was one.
    """
    if owner == context.committer.transactional_id:
        return False
    poll_ms, found = _POLL_MS, False
    while True:
        seen = await context.broker.transaction_of(owner)
        if seen.partitions.isdisjoint(own) or not (seen.is_open or seen.is_ending):
            return found
        found = True
        if seen.is_open:
            async with context.gate.turn():
                await require_ours(context)
                _log.info("stream %d: ending the open transaction of %s", context.stream, owner)
                await context.broker.abort_transaction(seen)
        poll_ms = await _pause(context, poll_ms)


async def require_ours(context: TaskContext) -> None:
    """See that the group says, now, that this process is in its current generation.

    Raises:
        TaskLost: it does not.
    """
    membership = context.committer.membership
    if membership is None or not await context.is_member(membership):
        raise TaskLost("the group does not say that the stream is ours")


async def _settle(
    context: TaskContext, own: Sequence[Partition], owner: str | None
) -> Sequence[str]:
    """Wait until nothing that may still be committed is open.

    Who holds a table can be found out, who holds an offset of the group cannot: so the tables come
    first. Their ends are taken once more after the offset: a transaction that the group has
    accepted has written all its records by then.

    Returns:
        The owners of transactions that stay open; none when all have ended. The last ``owner`` is
        one of them while the offset is held, which it may be by another one as well.
    """
    return (
        await _wait_until_stable(context, own)
        or await _wait_for_offset(context, owner)
        or await _wait_until_stable(context, own)
    )


async def _wait_for_offset(context: TaskContext, owner: str | None) -> Sequence[str]:
    """Wait until no transaction has an offset of the group for the stream."""
    poll_ms, waited_ms = _POLL_MS, 0
    while True:
        try:
            await context.broker.group_offset(context.stream)
            return ()
        except OffsetUnstable:
            if waited_ms >= _SLOW_MS:
                if owner is not None and owner != context.committer.transactional_id:
                    return (owner,)
                context.committer.request_settling()
                waited_ms = 0
        waited_ms += poll_ms
        poll_ms = await _pause(context, poll_ms)


async def _wait_until_stable(context: TaskContext, own: Sequence[Partition]) -> Sequence[str]:
    """Wait until no transaction is open in the stream's own tables.

    Returns:
        The owners of transactions that stay open; none when all have ended.
    """
    ends = {where: one.end for where, one in (await context.broker.offsets(own)).items()}
    poll_ms, waited_ms = _POLL_MS, 0
    while True:
        unstable = _unstable(await context.broker.offsets(own), ends)
        if not unstable:
            return ()
        if waited_ms >= _SLOW_MS:
            holders = await context.broker.holders_of(unstable)
            others = [one for one in holders if one != context.committer.transactional_id]
            if others:
                return others
            if holders:
                context.committer.request_settling()
            waited_ms = 0
        waited_ms += poll_ms
        poll_ms = await _pause(context, poll_ms)


def _unstable(
    offsets: Mapping[Partition, Offsets], ends: Mapping[Partition, int]
) -> list[Partition]:
    return [where for where, end in ends.items() if offsets[where].stable_end < end]


async def _pause(context: TaskContext, poll_ms: int) -> int:
    """Sleep, but not through a stop; the next pause."""
    await context.clock.sleep(poll_ms)
    if context.gate.stopped:
        raise Stopped
    return min(2 * poll_ms, _MAX_POLL_MS)
