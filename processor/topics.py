"""The names of the topics."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topics:
    """Topic names under a prefix; all have the same number of partitions, one per stream."""

    prefix: str = "orders."

    @property
    def events(self) -> str:
        """Order events in."""
        return f"{self.prefix}events"

    @property
    def live(self) -> str:
        """The table of live orders, compacted."""
        return f"{self.prefix}live"

    @property
    def snapshots(self) -> str:
        """Whole lists, compacted."""
        return f"{self.prefix}snapshots"

    @property
    def results(self) -> str:
        """One answer per event."""
        return f"{self.prefix}results"

    @property
    def dead_letters(self) -> str:
        """What could not be an event."""
        return f"{self.prefix}dead-letters"

    @property
    def outputs(self) -> tuple[str, ...]:
        """All topics that tasks write."""
        return (self.live, self.snapshots, self.results, self.dead_letters)

    @property
    def all(self) -> tuple[str, ...]:
        """All topics."""
        return (self.events, *self.outputs)
