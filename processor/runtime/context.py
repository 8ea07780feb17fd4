"""What a stream's task is given to work with."""

from dataclasses import dataclass, field

from processor.core.reorder import ReorderPolicy
from processor.core.snapshot import SnapshotPolicy
from processor.runtime.gate import Gate
from processor.runtime.observer import Observer
from processor.runtime.plan import RestorePlan
from processor.runtime.ports import Broker, Clock, NewId


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """How a task batches, what it refuses, when it snapshots."""

    commit_interval_ms: int = 100
    max_batch_events: int = 5000
    max_event_bytes: int = 65_536
    max_dead_letter_bytes: int = 1_000_000
    offset_refresh_interval_ms: int = 3_600_000
    routing_grace_ms: int = 5000
    dedupe_events: int = 200_000
    reorder: ReorderPolicy = field(default_factory=ReorderPolicy)
    snapshots: SnapshotPolicy = field(default_factory=SnapshotPolicy)


@dataclass(frozen=True, slots=True)
class TaskContext:
    """One stream, the settings, and the ports."""

    plan: RestorePlan
    settings: TaskSettings
    broker: Broker
    gate: Gate
    clock: Clock
    new_id: NewId
    observer: Observer

    @property
    def stream(self) -> int:
        """The stream's number."""
        return self.plan.stream
