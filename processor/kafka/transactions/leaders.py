"""Which brokers lead the partitions."""

import math
from collections.abc import Collection, Mapping

from processor.kafka.transactions.backoff import later
from processor.kafka.transactions.requests import RefreshLeaders
from processor.kafka.transactions.values import TopicPartition


class Leaders:
    """The leaders that are known, and the search for those that are wanted."""

    def __init__(self) -> None:
        self._nodes: dict[TopicPartition, int] = {}
        self._pause = later()
        self._due_ms = 0.0

    def node(self, partition: TopicPartition) -> int | None:
        """The leader, if it is known."""
        return self._nodes.get(partition)

    def forget(self, partition: TopicPartition) -> None:
        """Ask anew: the leader has moved, or does not answer."""
        self._nodes.pop(partition, None)

    def learn(self, leaders: Mapping[TopicPartition, int]) -> None:
        """Learn leaders from whatever source."""
        self._nodes.update(leaders)

    def take_request(
        self, request_id: int, wanted: Collection[TopicPartition], now_ms: float
    ) -> RefreshLeaders | None:
        """The request for leaders that are wanted and not known, if it is due."""
        unknown = self._unknown(wanted)
        if not unknown or self._due_ms > now_ms:
            return None
        self._due_ms = math.inf
        return RefreshLeaders(request_id, unknown)

    def next_time_ms(self, wanted: Collection[TopicPartition]) -> float:
        """When to ask for leaders that are wanted."""
        return self._due_ms if self._unknown(wanted) else math.inf

    def receive(
        self, request: RefreshLeaders, leaders: Mapping[TopicPartition, int], now_ms: float
    ) -> None:
        """Take an answer; ask again after a pause if a leader is missing."""
        self.learn(leaders)
        if self._unknown(request.partitions):
            self.fail(now_ms)
        else:
            self._pause.reset()
            self._due_ms = now_ms

    def fail(self, now_ms: float) -> None:
        """Ask again after a pause, since no answer came."""
        self._due_ms = now_ms + self._pause.pause_ms()

    def _unknown(self, wanted: Collection[TopicPartition]) -> tuple[TopicPartition, ...]:
        return tuple(where for where in wanted if where not in self._nodes)
