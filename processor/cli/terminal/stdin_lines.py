"""Lines from a file, a pipe or a terminal, without ever blocking the event loop on a pipe."""

import asyncio
import os
import select
from collections.abc import AsyncIterator, Awaitable, Callable

from processor.errors import UsageError

_BLOCK_BYTES = 1024 * 1024
_MAX_LINE_BYTES = 16 * 1024 * 1024

BeforeWaiting = Callable[[], Awaitable[None]]


async def numbered_lines(
    file: int, before_waiting: BeforeWaiting
) -> AsyncIterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers from 1 on.

    Args:
        file: an open file's descriptor.
        before_waiting: called when the input has nothing more for the moment.

    Raises:
        UsageError: a line has no end.
    """
    number = 0
    rest = b""
    async for block in _blocks(file, before_waiting):
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            number += 1
            if line := line.strip():
                yield number, line
        if len(rest) > _MAX_LINE_BYTES:
            raise UsageError(f"line {number + 1} is longer than 16 MiB: give one event a line")
    if rest := rest.strip():
        yield number + 1, rest


async def _blocks(file: int, before_waiting: BeforeWaiting) -> AsyncIterator[bytes]:
    while True:
        if not _is_ready(file):
            await before_waiting()
            await _readable(file)
        # What is ready does not block; a file on a disk always is.
        block = os.read(file, _BLOCK_BYTES)
        if not block:
            return
        yield block
        await asyncio.sleep(0)


def _is_ready(file: int) -> bool:
    return bool(select.select([file], [], [], 0)[0])


async def _readable(file: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(file, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(file)
