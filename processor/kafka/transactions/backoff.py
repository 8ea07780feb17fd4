"""Pauses that double."""

from typing import Final

# Markers are written within milliseconds.
_SOON_FIRST_MS: Final = 1.0
_SOON_MOST_MS: Final = 32.0
# A leader or a coordinator that moves takes longer than that.
_LATER_FIRST_MS: Final = 10.0
_LATER_MOST_MS: Final = 500.0


class Backoff:
    """The pause before each next try."""

    def __init__(self, first_ms: float, most_ms: float) -> None:
        self._first_ms = first_ms
        self._most_ms = most_ms
        self._next_ms = first_ms

    def pause_ms(self) -> float:
        """The pause from now on; the next one is twice as long, up to the bound."""
        pause_ms = self._next_ms
        self._next_ms = min(2 * pause_ms, self._most_ms)
        return pause_ms

    def reset(self) -> None:
        """Begin with the shortest pause again."""
        self._next_ms = self._first_ms


def soon() -> Backoff:
    """For what the coordinator completes by itself."""
    return Backoff(_SOON_FIRST_MS, _SOON_MOST_MS)


def later() -> Backoff:
    """For what needs an election, a restart or a network."""
    return Backoff(_LATER_FIRST_MS, _LATER_MOST_MS)
