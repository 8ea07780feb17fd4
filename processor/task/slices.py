"""Slices: what is written in one go of the event loop, all of it or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from processor.errors import TaskLost
from processor.task.ports import Partition
from processor.wire.record import Record


class Sealed(NamedTuple):
    """A stream's position after a slice, and the offsets of it that the group is told."""

    position: bytes
    offsets: Mapping[str, int]


class Committed(NamedTuple):
    """A committed round, as a task hears of it.

    ``events`` is how many of its input records were in it; ``commit_ns`` is how long the
    transaction took; ``ends`` has the offset after the last record of each partition in it.
    """

    sealed: Sealed
    events: int
    commit_ns: int
    ends: Mapping[Partition, int]


class Participant(Protocol):
    """A task whose stream a slice touches."""

    @property
    def stream(self) -> int:
        """Its stream."""

    @property
    def failure(self) -> TaskLost | None:
        """Why the task must end; None as long as it may write."""

    def seal(self) -> Sealed:
        """End the slice: write the last records, and say where the stream stands now."""

    def committed(self, committed: Committed) -> None:
        """A round with slices of this task was committed."""

    def lost(self, error: TaskLost) -> None:
        """A round with slices of this task was not committed: its memory is ahead of the tables."""


@dataclass(slots=True)
class Slice:
    """Records by partition, and the tasks whose streams they change.

    ``events`` counts the input records of each task. ``written_bytes`` is known when the slice is
    in its round; snapshots do not count.
    """

    records: dict[Partition, list[Record]] = field(default_factory=dict)
    events: dict[Participant, int] = field(default_factory=dict)
    written_bytes: int = 0

    def write(self, where: Partition, records: Sequence[Record]) -> None:
        """Add records to a partition."""
        if records:
            self.records.setdefault(where, []).extend(records)

    def touch(self, participant: Participant, events: int = 0) -> None:
        """Note that a task's stream changes."""
        self.events[participant] = self.events.get(participant, 0) + events
