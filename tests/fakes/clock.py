"""A clock that goes when it is told to."""

import asyncio

_EPOCH_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z


class FakeClock:
    """A `Clock` that moves with `advance`, and by ``tick_us`` with every look at it."""

    def __init__(self, *, tick_us: int = 0) -> None:
        self._elapsed_us = 0
        self._tick_us = tick_us

    def advance(self, duration_ms: int) -> None:
        """Let time pass."""
        self._elapsed_us += duration_ms * 1000

    def _look(self) -> int:
        self._elapsed_us += self._tick_us
        return self._elapsed_us

    def monotonic_ms(self) -> int:
        """Part of `Clock`."""
        return self._look() // 1000

    def monotonic_ns(self) -> int:
        """Part of `Clock`."""
        return self._look() * 1000

    def now_us(self) -> int:
        """Part of `Clock`."""
        return _EPOCH_US + self._look()

    async def sleep(self, duration_ms: float) -> None:
        """Part of `Clock`: however long, it takes a moment, and no time passes."""
        await asyncio.sleep(0.001 if duration_ms else 0)
