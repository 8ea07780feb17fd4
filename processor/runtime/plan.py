"""What a task is to bring back."""

from dataclasses import dataclass

from processor.topics import Topics


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """What a restore is of, and how much loss the user has accepted."""

    stream: int
    num_streams: int
    topics: Topics
    app_id: str
    accept_lost_events: bool = False

    @property
    def input_name(self) -> str:
        """The input partition, for messages."""
        return f"{self.topics.events}/{self.stream}"
