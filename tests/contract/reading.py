"""Short words for what the tests of the contract read again and again."""

import asyncio
from collections.abc import Sequence

from processor.errors import OffsetUnstable
from processor.reader.ports import Log, PartitionReader
from processor.task.ports import Broker, Partition
from processor.wire.record import InputRecord, Record
from tests.waiting import eventually

_LIMIT_S = 15
_POLL_S = 0.005


def record(key: str, value: str | None = "") -> Record:
    """A plain record."""
    return key.encode(), None if value is None else value.encode(), []


def keys(records: Sequence[InputRecord]) -> list[str]:
    """The records' keys, as text."""
    return [(one.key or b"").decode() for one in records]


async def read_to(reader: PartitionReader, end: int) -> list[InputRecord]:
    """All records until the position is at the end."""
    found: list[InputRecord] = []
    async with asyncio.timeout(_LIMIT_S):
        while reader.position < end:
            found.extend(await reader.fetch(max_records=100, timeout_ms=200))
    return found


async def read_now(log: Log, where: Partition) -> list[InputRecord]:
    """All records that can be seen to be committed now."""
    begin, end = await log.bounds(*where)
    reader = await log.read(*where, begin)
    try:
        return await read_to(reader, end)
    finally:
        await reader.close()


async def group_offset(broker: Broker, stream: int) -> int | None:
    """The group's offset of a stream, once no transaction has one for it."""
    async with asyncio.timeout(_LIMIT_S):
        while True:
            try:
                return await broker.group_offset(stream)
            except OffsetUnstable:
                await asyncio.sleep(_POLL_S)


async def read_all(broker: Broker, where: Partition) -> list[InputRecord]:
    """All committed records, once no transaction is open.

    A broker that has taken a commit may show for some milliseconds what was before it.
    """

    async def is_stable() -> bool:
        offsets = (await broker.offsets([where]))[where]
        return offsets.stable_end == offsets.end

    await eventually(is_stable, what=f"the end of what is open in {where}")
    return await read_now(broker, where)
