"""A broker's side of incremental fetch sessions, by KIP-227."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from processor.kafka.fetching.values import AskedPartition, Fetch, FetchedPartition

UNKNOWN_SESSION = 70
WRONG_EPOCH = 71

Key = tuple[str | bytes, int]


def key_of(one: AskedPartition) -> Key:
    return (one.topic_id or one.topic, one.partition)


@dataclass
class Remembered:
    epoch: int
    asked: dict[Key, AskedPartition] = field(default_factory=dict)
    told: dict[Key, tuple[int, int]] = field(default_factory=dict)


@dataclass
class Asked:
    """What is asked for in full; ``session`` is None for one that is not remembered."""

    error_code: int
    session_id: int
    partitions: Sequence[AskedPartition]
    session: Remembered | None
    incremental: bool = False

    def left(self, found: Sequence[FetchedPartition]) -> list[FetchedPartition]:
        """Those of an answer that have news."""
        if self.session is None:
            return list(found)
        left = []
        for asked, one in zip(self.partitions, found, strict=True):
            ends = (one.high_watermark, one.last_stable_offset)
            news = (
                len(one.records) or one.error_code or self.session.told.get(key_of(asked)) != ends
            )
            self.session.told[key_of(asked)] = ends
            if news or not self.incremental:
                left.append(one)
        return left


class ModelSessions:
    """The sessions of one broker; ``keeps`` none while it has no room."""

    def __init__(self) -> None:
        self.keeps = True
        self.sessions: dict[int, Remembered] = {}
        self._last_id = 40

    def receive(self, request: Fetch) -> Asked:
        """Take in a request."""
        if request.session_epoch == -1:
            assert not request.forgotten
            return Asked(0, 0, request.partitions, None)
        if request.session_epoch == 0:
            assert not request.forgotten
            self.sessions.pop(request.session_id, None)
            return self._begin(request)
        session = self.sessions.get(request.session_id)
        if session is None:
            return Asked(UNKNOWN_SESSION, 0, (), None)
        if session.epoch != request.session_epoch:
            return Asked(WRONG_EPOCH, 0, (), None)
        session.epoch += 1
        for one in request.forgotten:
            del session.asked[key_of(one)]
            session.told.pop(key_of(one), None)
        for one in request.partitions:
            session.asked[key_of(one)] = one
        asked = list(session.asked.values())
        return Asked(0, request.session_id, asked, session, incremental=True)

    def _begin(self, request: Fetch) -> Asked:
        if not self.keeps:
            return Asked(0, 0, request.partitions, None)
        self._last_id += 1
        session = Remembered(1, {key_of(one): one for one in request.partitions})
        self.sessions[self._last_id] = session
        return Asked(0, self._last_id, list(session.asked.values()), session)
