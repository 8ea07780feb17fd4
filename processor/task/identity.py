"""The identity of a task."""

from dataclasses import dataclass

from processor.topics import Topics


@dataclass(frozen=True, slots=True)
class TaskIdentity:
    """The stream, topics and app of a task, and how much loss the user has accepted."""

    stream: int
    num_streams: int
    topics: Topics
    app_id: str
    accept_lost_events: bool = False

    @property
    def input_name(self) -> str:
        """The input partition, for messages."""
        return f"{self.topics.events}/{self.stream}"
