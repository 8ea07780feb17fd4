"""The names of the topics."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topics:
    """Topic names under a prefix; all have the same number of partitions, one per stream.

    ``directory_on`` tells whether there is an order-id directory, and so its three topics.
    """

    prefix: str = "orders."
    directory_on: bool = False

    @property
    def option(self) -> str:
        """What a command line must have to mean these topics, with a blank before; or nothing."""
        return "" if self.prefix == type(self)().prefix else f" --topic-prefix {self.prefix}"

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
    def progress(self) -> str:
        """What a task knows beside its orders, compacted: ids it has seen, events that wait."""
        return f"{self.prefix}progress"

    @property
    def directory(self) -> str:
        """Which order has an id, compacted."""
        return f"{self.prefix}directory"

    @property
    def claims(self) -> str:
        """A queue: what streams tell the directory's shards."""
        return f"{self.prefix}claims"

    @property
    def routed(self) -> str:
        """A queue: what shards and streams send to streams."""
        return f"{self.prefix}routed"

    @property
    def outputs(self) -> tuple[str, ...]:
        """All topics in which a task writes its own partition, and no other."""
        own = (self.live, self.snapshots, self.progress, self.results, self.dead_letters)
        return (*own, self.directory) if self.directory_on else own

    @property
    def queues(self) -> tuple[str, ...]:
        """All topics in which tasks write to each other."""
        return (self.claims, self.routed) if self.directory_on else ()

    @property
    def tables(self) -> tuple[str, ...]:
        """All compacted topics."""
        own = (self.live, self.snapshots, self.progress)
        return (*own, self.directory) if self.directory_on else own

    @property
    def all(self) -> tuple[str, ...]:
        """All topics."""
        return (self.events, *self.outputs, *self.queues)
