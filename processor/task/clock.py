"""The real clock."""

import asyncio
import time


class SystemClock:
    """A `Clock` on the system's."""

    def monotonic_ms(self) -> int:
        """Part of `Clock`."""
        return time.monotonic_ns() // 1_000_000

    def monotonic_ns(self) -> int:
        """Part of `Clock`."""
        return time.monotonic_ns()

    def now_us(self) -> int:
        """Part of `Clock`."""
        return time.time_ns() // 1000

    async def sleep(self, duration_ms: float) -> None:
        """Part of `Clock`."""
        await asyncio.sleep(duration_ms / 1000)
