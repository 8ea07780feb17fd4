"""Short words for what the tests of the contract do again and again."""

import asyncio
from collections.abc import Sequence

from processor.runtime.ports import Broker, InputRecord, Log, OutputRecord, PartitionReader

_LIMIT_S = 15


def record(key: str, value: str | None = "") -> OutputRecord:
    """A plain record."""
    return key.encode(), None if value is None else value.encode(), []


def keys(records: Sequence[InputRecord]) -> list[str]:
    """The records' keys, as text."""
    return [(one.key or b"").decode() for one in records]


async def commit(
    broker: Broker, stream: int, topic: str, *records: OutputRecord, offset: int = 0
) -> int:
    """Be a new owner for one transaction, and settle it; what `commit` gave."""
    writer = await broker.fence(stream)
    try:
        await writer.begin()
        writer.write(topic, records)
        lower_bound = await writer.commit(offset, "")
    finally:
        await writer.close()
    await settle(broker, stream)
    return lower_bound


async def settle(broker: Broker, stream: int) -> None:
    """Make what was committed final for everyone, which only the next owner's fencing does.

    For some milliseconds after a commit a broker may still show what was before it.
    """
    await (await broker.fence(stream)).close()


async def read_to(reader: PartitionReader, end: int) -> list[InputRecord]:
    """All records until the position is at the end."""
    found: list[InputRecord] = []
    async with asyncio.timeout(_LIMIT_S):
        while reader.position < end:
            found.extend(await reader.fetch(max_records=100, timeout_ms=200))
    return found


async def read_all(log: Log, topic: str, partition: int) -> list[InputRecord]:
    """All committed records."""
    begin, end = await log.bounds(topic, partition)
    reader = await log.read(topic, partition, begin)
    try:
        return await read_to(reader, end)
    finally:
        await reader.close()
