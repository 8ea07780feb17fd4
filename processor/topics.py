"""The names of the topics."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topics:
    """Topic names under a prefix; all have the same number of partitions, one per stream."""

    prefix: str = "orders."

    @property
    def option(self) -> str:
        """The option that names these topics on a command line, with a blank before; or nothing."""
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
        """Records that are no events."""
        return f"{self.prefix}dead-letters"

    @property
    def progress(self) -> str:
        """A task's knowledge beside its orders, compacted: its position, ids, held events."""
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
        return (*self.tables, self.results, self.dead_letters)

    @property
    def queues(self) -> tuple[str, ...]:
        """All topics in which tasks write to each other."""
        return (self.claims, self.routed)

    @property
    def inputs(self) -> tuple[str, ...]:
        """All topics of which a task reads its partition."""
        return (self.events, *self.queues)

    @property
    def tables(self) -> tuple[str, ...]:
        """All compacted topics."""
        return (self.live, self.snapshots, self.progress, self.directory)

    @property
    def all(self) -> tuple[str, ...]:
        """All topics."""
        return (self.events, *self.outputs, *self.queues)
