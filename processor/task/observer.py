"""Reports of tasks about themselves, for metrics and measurements."""

from typing import Protocol

from processor.task.lifecycle import TaskState


class Observer(Protocol):
    """Told of what tasks do. Must be quick and must not raise."""

    def on_state(self, stream: int, state: TaskState) -> None:
        """A task moved to another state."""

    def on_commit(self, stream: int, events: int, snapshot_ns: int, commit_ns: int) -> None:
        """A transaction was committed.

        Args:
            stream: whose.
            events: how many input records it covered.
            snapshot_ns: time spent in snapshot code.
            commit_ns: time from the last write to the committed transaction.
        """


class SilentObserver:
    """Nobody listens."""

    def on_state(self, stream: int, state: TaskState) -> None:
        """Nothing."""

    def on_commit(self, stream: int, events: int, snapshot_ns: int, commit_ns: int) -> None:
        """Nothing."""
