"""The gate between a stream's task and the group: shut while the stream may be moving."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Stopped(Exception):
    """The task was told to stop; nothing is open."""


class Gate:
    """Lets a task end others' transactions or write only while its stream is assigned.

    A turn that has begun may end: `shut` waits for it.
    """

    def __init__(self) -> None:
        self._passable = asyncio.Event()
        self._free = asyncio.Event()
        self._free.set()
        self._stop = asyncio.Event()

    @property
    def stopped(self) -> bool:
        """Whether the task must end."""
        return self._stop.is_set()

    @property
    def waiting(self) -> bool:
        """Whether somebody wants the turn that is on to end soon."""
        return self.stopped or not self._passable.is_set()

    def open(self) -> None:
        """The stream is assigned: go on."""
        self._passable.set()

    def stop(self) -> None:
        """No further turn for anyone, ever; who waits for one is told."""
        self._stop.set()
        self._passable.set()

    async def shut(self) -> None:
        """The stream may move: no further turn, and wait until the one that is on has ended."""
        if not self.stopped:
            self._passable.clear()
        await self._free.wait()

    async def wait_stopped(self) -> None:
        """Wait until the task must end."""
        await self._stop.wait()

    async def passable(self) -> None:
        """Wait until a turn would be given.

        Raises:
            Stopped: none will be.
        """
        # Whoever is woken looks again: the gate may have been shut in the same breath.
        while not self._passable.is_set():
            await self._passable.wait()
        if self.stopped:
            raise Stopped

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for the gate, and hold it.

        Raises:
            Stopped: the task must end.
        """
        await self.passable()
        self._free.clear()
        try:
            yield
        finally:
            self._free.set()
