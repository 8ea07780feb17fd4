"""The values and ports that a stream's task is given to work with."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from processor.core.event_time.reorder import ReorderPolicy
from processor.core.orders.snapshot import SnapshotPolicy
from processor.reader.ports import Clock
from processor.task.committer import Committer
from processor.task.gate import Gate
from processor.task.identity import TaskIdentity
from processor.task.observer import Observer
from processor.task.ports import Broker, Membership, NewId
from processor.task.shortcut import Shortcuts


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """The limits and policies of a task: refusing, holding, remembering, snapshots."""

    max_event_bytes: int = 65_536
    max_dead_letter_bytes: int = 1_000_000
    routing_grace_ms: int = 5000
    dedupe_events: int = 200_000
    reorder: ReorderPolicy = field(default_factory=ReorderPolicy)
    snapshots: SnapshotPolicy = field(default_factory=SnapshotPolicy)


@dataclass(frozen=True, slots=True)
class TaskContext:
    """One stream, the settings, and the ports.

    ``committer`` and ``shortcuts`` are those of the process. ``is_member`` asks the group whether a
    membership is the current one. ``restoring`` bounds how many tasks of a process restore at a
    time.
    """

    identity: TaskIdentity
    settings: TaskSettings
    broker: Broker
    committer: Committer
    shortcuts: Shortcuts
    is_member: Callable[[Membership], Awaitable[bool]]
    restoring: asyncio.Semaphore
    gate: Gate
    clock: Clock
    new_id: NewId
    observer: Observer

    @property
    def stream(self) -> int:
        """The stream's number."""
        return self.identity.stream
