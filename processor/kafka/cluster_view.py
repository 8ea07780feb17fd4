"""A process's view of the cluster: leaders, their epochs, topic ids and brokers.

Answers come from any broker, and one that lags behind shows an older state. A leader epoch only
grows, so the newest one wins; a topic that was deleted and made anew has another id and begins at
epoch 0, so all that was known of the older one is dropped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

NO_NODE: Final = -1
NO_EPOCH: Final = -1
_UNKNOWN_TOPIC: Final = 3
_REFUSED: Final = 29


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where a broker listens."""

    node: int
    host: str
    port: int
    rack: str | None = None


@dataclass(frozen=True, slots=True)
class Leader:
    """A partition's leader: its node, `NO_NODE` if there is none, and its epoch."""

    node: int
    epoch: int


@dataclass(frozen=True, slots=True)
class TopicMetadata:
    """A topic in an answer; ``leaders`` by partition, ``topic_id`` None where there are no ids."""

    name: str
    topic_id: bytes | None
    error_code: int
    leaders: Mapping[int, Leader]


@dataclass(frozen=True, slots=True)
class Metadata:
    """A broker's answer to a Metadata request."""

    brokers: Sequence[BrokerAddress]
    controller: int
    topics: Sequence[TopicMetadata]


@dataclass(slots=True)
class _Topic:
    topic_id: bytes | None
    leaders: dict[int, Leader] = field(default_factory=dict)


class ClusterView:
    """The cluster, as the answers so far tell.

    Attributes:
        updates: how many answers there were.
        moves: in how many of them the leader epoch of a known partition had gone up.
        brokers: those of the last answer, by node.
        missing: topics that the last answer that told of them does not have.
        refused: topics that it does not let us see.
    """

    def __init__(self) -> None:
        self.updates = 0
        self.moves = 0
        self.brokers: Mapping[int, BrokerAddress] = {}
        self.missing: frozenset[str] = frozenset()
        self.refused: frozenset[str] = frozenset()
        self._topics: dict[str, _Topic] = {}

    def learn(self, metadata: Metadata) -> None:
        """Take in an answer."""
        self.updates += 1
        self.brokers = {broker.node: broker for broker in metadata.brokers}
        moves = [self._learn_topic(topic) for topic in metadata.topics]
        self.moves += any(moves)
        self.missing = self._with_error(self.missing, metadata, _UNKNOWN_TOPIC)
        self.refused = self._with_error(self.refused, metadata, _REFUSED)

    @staticmethod
    def _with_error(known: frozenset[str], metadata: Metadata, error_code: int) -> frozenset[str]:
        told = {topic.name for topic in metadata.topics}
        found = {topic.name for topic in metadata.topics if topic.error_code == error_code}
        return (known - told) | found

    def _learn_topic(self, found: TopicMetadata) -> bool:
        """Take in one topic; returns whether a leader epoch went up."""
        if found.error_code == _UNKNOWN_TOPIC:
            self._topics.pop(found.name, None)
        if found.error_code:
            return False
        known = self._topics.get(found.name)
        if known is None or known.topic_id != found.topic_id:
            known = self._topics[found.name] = _Topic(found.topic_id)
        moves = [self._learn_leader(known, *leader) for leader in found.leaders.items()]
        return any(moves)

    @staticmethod
    def _learn_leader(topic: _Topic, partition: int, found: Leader) -> bool:
        before = topic.leaders.get(partition)
        if before is None or found.epoch >= before.epoch or found.epoch == NO_EPOCH:
            topic.leaders[partition] = found
        return before is not None and found.epoch > before.epoch

    def leader(self, topic: str, partition: int) -> Leader | None:
        """A partition's leader; None if it has none now or is not known."""
        known = self._topics.get(topic)
        found = known.leaders.get(partition) if known is not None else None
        return None if found is None or found.node == NO_NODE else found

    def topic_id(self, topic: str) -> bytes | None:
        """A topic's id; None if the topic is not known or has none."""
        known = self._topics.get(topic)
        return None if known is None else known.topic_id

    def partitions(self, topic: str) -> int:
        """How many partitions of a topic are known."""
        known = self._topics.get(topic)
        return 0 if known is None else len(known.leaders)
