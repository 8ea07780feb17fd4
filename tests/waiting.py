"""Waiting for a condition, within a bound: never a sleep in place of one."""

import asyncio
from collections.abc import Awaitable, Callable


async def eventually(
    holds: Callable[[], bool | Awaitable[bool]], *, timeout_s: float = 10, what: str = "condition"
) -> None:
    """Wait until a condition holds.

    Raises:
        AssertionError: it never did.
    """
    deadline = asyncio.get_running_loop().time() + timeout_s
    while True:
        answer = holds()
        if answer if isinstance(answer, bool) else await answer:
            return
        assert asyncio.get_running_loop().time() < deadline, f"{what}: not within {timeout_s} s"
        await asyncio.sleep(0.001)


async def turns() -> None:
    """Give everyone their turn, often: there is nothing to wait for in what must not happen."""
    for _ in range(50):
        await asyncio.sleep(0)
