"""The life of a task, as a table."""

from enum import Enum
from typing import Final

from processor.errors import BrokenInvariant


class TaskState(Enum):
    """Where a task is in its life."""

    ASSIGNED = "assigned"
    TAKING_OVER = "taking over"
    RESTORING = "restoring"
    RUNNING = "running"
    STOPPING = "stopping"
    CLOSED = "closed"


MOVES: Final[dict[TaskState, frozenset[TaskState]]] = {
    TaskState.ASSIGNED: frozenset({TaskState.TAKING_OVER, TaskState.STOPPING}),
    TaskState.TAKING_OVER: frozenset({TaskState.RESTORING, TaskState.STOPPING}),
    TaskState.RESTORING: frozenset({TaskState.RUNNING, TaskState.STOPPING}),
    TaskState.RUNNING: frozenset({TaskState.STOPPING}),
    TaskState.STOPPING: frozenset({TaskState.CLOSED}),
    TaskState.CLOSED: frozenset(),
}


def move(source: TaskState, target: TaskState) -> TaskState:
    """The target, if the table allows the move.

    Raises:
        BrokenInvariant: it does not.
    """
    if target not in MOVES[source]:
        raise BrokenInvariant(f"a task cannot go from {source.value} to {target.value}")
    return target
