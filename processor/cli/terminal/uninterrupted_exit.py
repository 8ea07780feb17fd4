"""Leaving in an orderly way, whatever comes meanwhile."""

import asyncio
from contextlib import AsyncExitStack
from types import TracebackType


class ToItsEnd(AsyncExitStack):
    """An exit stack that a cancellation does not interrupt once it has begun to unwind."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        leaving = asyncio.ensure_future(super().__aexit__(kind, error, trace))
        cancelled = False
        while not leaving.done():
            try:
                await asyncio.wait([leaving])
            except asyncio.CancelledError:
                cancelled = True
        done = bool(leaving.result())
        if cancelled and error is None:
            raise asyncio.CancelledError
        return done
