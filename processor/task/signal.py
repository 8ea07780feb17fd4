"""Waking all that wait for something to change."""

import asyncio
from collections.abc import Callable


class Signal:
    """Waiters look again whenever somebody says that something has changed."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def notify(self) -> None:
        """Something has changed."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until a condition holds."""
        while not holds():
            await self._changed.wait()
