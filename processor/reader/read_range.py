"""Reading a stretch of a partition to its end."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from processor.reader.ports import Bounds, Log
from processor.wire.record import InputRecord

_FETCH_RECORDS = 1000
_FETCH_TIMEOUT_MS = 200


async def batches(
    log: Log, topic: str, partition: int, bounds: Bounds
) -> AsyncGenerator[Sequence[InputRecord], None]:
    """The records between two offsets, batch by batch; other tasks get their turn in between.

    Ends when the position reaches the end: the last offsets are often transaction markers or
    holes that compaction left, so no record may ever have them, and a fetch that comes back
    empty says nothing.

    Raises:
        TaskLost: the broker failed us.
    """
    if bounds.begin >= bounds.end:
        return
    reader = await log.read(topic, partition, bounds.begin)
    try:
        while reader.position < bounds.end:
            records = await reader.fetch(max_records=_FETCH_RECORDS, timeout_ms=_FETCH_TIMEOUT_MS)
            yield [record for record in records if record.offset < bounds.end]
            await asyncio.sleep(0)
    finally:
        await reader.close()
