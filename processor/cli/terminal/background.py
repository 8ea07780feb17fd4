"""Doing something while other things go on beside it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from processor.errors import BrokenInvariant

Result = TypeVar("Result")
Background = asyncio.Task[None]


async def beside(doing: Coroutine[Any, Any, Result], *background: Background) -> Result:
    """Do something, unless what must go on beside it ends first.

    Raises:
        LiveOrdersError: what ended the other.
    """
    task = asyncio.ensure_future(doing)
    try:
        await asyncio.wait([task, *background], return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
    finally:
        task.cancel()
        await asyncio.wait([task])
    for other in background:
        if other.done():
            other.result()
    raise BrokenInvariant("a part of the demo ended by itself: please report it")


@asynccontextmanager
async def in_background(*work: Coroutine[Any, Any, None]) -> AsyncIterator[list[Background]]:
    """Start what goes on beside the block, and end it with the block."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
