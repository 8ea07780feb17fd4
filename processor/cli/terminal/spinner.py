"""Making a wait visible."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TypeVar

from rich.console import Console
from rich.text import Text

Opened = TypeVar("Opened")

# What is quicker needs no words.
_DELAY_S = 0.4


@asynccontextmanager
async def patiently(
    opening: AbstractAsyncContextManager[Opened], servers: str
) -> AsyncIterator[Opened]:
    """Open something of Kafka's; on a terminal, say what is waited for when it takes long."""
    async with AsyncExitStack() as stack:
        async with waiting(f"waiting for Kafka at {servers} ..."):
            opened = await stack.enter_async_context(opening)
        yield opened


@asynccontextmanager
async def waiting(what: str) -> AsyncIterator[None]:
    """Say on a terminal what the block waits for, as soon as it takes long; nothing stays."""
    saying = asyncio.create_task(_say(what))
    try:
        yield
    finally:
        saying.cancel()
        await asyncio.wait([saying])


async def _say(what: str) -> None:
    await asyncio.sleep(_DELAY_S)
    console = Console(stderr=True)
    if console.is_terminal:
        with console.status(Text(what)):
            await asyncio.Event().wait()
