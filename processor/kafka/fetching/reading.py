"""The reading of one partition.

| state  | meaning                                | left for                                      |
|--------|----------------------------------------|-----------------------------------------------|
| READY  | may be asked, if its buffer has room   | ASKED: a request took it                      |
| ASKED  | in a request under way                 | READY: records, or none; PAUSED: an error that|
|        |                                        | may pass, or no answer; FAILED: another error |
| PAUSED | waits for its back-off and, where its  | READY: both are there, or another leader is   |
|        | leader is doubted, for newer metadata  | known; FAILED: its topic is gone              |
| FAILED | its reader is told; never asked again  |                                               |

A closed reading is forgotten by the session, in any state; answers for it are dropped.
"""

from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Final

from processor.kafka.cluster_view import Leader
from processor.kafka.fetching.committed import CommittedBatch, CommittedData
from processor.kafka.fetching.remedies import Failure
from processor.kafka.fetching.values import AskedPartition

_NEVER: Final = -1


class State(Enum):
    """See the table above."""

    READY = "ready"
    ASKED = "asked"
    PAUSED = "paused"
    FAILED = "failed"


class Reading:
    """Position, buffer and state of one partition that is read.

    Attributes:
        topic_id: the id of the topic when reading began; None if unknown.
        next_offset: where to ask next.
        wanted_bytes: how much to ask for at least: a batch may be larger than the usual bound.
        buffered_bytes: the size of what is not handed out yet.
        high_watermark: the end of the partition as last heard of; None before the first answer.
        last_stable_offset: the end of what is decided in it; None before the first answer.
        leader: whom to ask, or who failed; None before it is known.
        where: topic and partition.
        failure: what the reader is told; only in state FAILED.
    """

    __slots__ = (
        "_asked",
        "_buffer",
        "_handed_out",
        "_known_id",
        "_known_update",
        "buffered_bytes",
        "doubted_since_ms",
        "failure",
        "failures",
        "high_watermark",
        "last_error_code",
        "last_stable_offset",
        "leader",
        "needed_update",
        "next_offset",
        "partition",
        "retry_at_ms",
        "state",
        "topic",
        "topic_id",
        "unheard_since_ms",
        "wanted_bytes",
        "where",
    )

    def __init__(self, topic: str, partition: int, offset: int, topic_id: bytes | None) -> None:
        self.topic = topic
        self.partition = partition
        self.where = (topic, partition)
        self.topic_id = topic_id
        self.state = State.READY
        self.next_offset = offset
        self.wanted_bytes = 0
        self.buffered_bytes = 0
        self.high_watermark: int | None = None
        self.last_stable_offset: int | None = None
        self.failure: Failure | None = None
        # Of the last failures in a row.
        self.failures = 0
        self.last_error_code = 0
        self.retry_at_ms = 0
        self.needed_update = 0
        self.leader: Leader | None = None
        self._known_id: bytes | None = None
        self._known_update = _NEVER
        self._asked: AskedPartition | None = None
        self.unheard_since_ms: int | None = None
        self.doubted_since_ms: int | None = None
        self._buffer: deque[CommittedBatch] = deque()
        self._handed_out = offset

    @property
    def position(self) -> int:
        """The offset before which everything is handed out; past markers and aborted records."""
        return self._handed_out if self._buffer else self.next_offset

    @property
    def lag(self) -> int:
        """How far the position is from the end of what is decided, as last heard of."""
        return max((self.last_stable_offset or 0) - self.position, 0)

    def take(self) -> CommittedBatch | None:
        """The next batch; None if there is none."""
        if not self._buffer:
            return None
        batch = self._buffer.popleft()
        self.buffered_bytes -= len(batch.data)
        self._handed_out = batch.next_offset
        return batch

    def heard(self, high_watermark: int, last_stable_offset: int) -> None:
        """Take in an answer without an error."""
        self.high_watermark = high_watermark
        self.last_stable_offset = last_stable_offset
        self.heard_nothing_new()

    def heard_nothing_new(self) -> None:
        """Take in an answer that has nothing new."""
        self.state = State.READY
        self.failures = self.last_error_code = 0
        self.unheard_since_ms = self.doubted_since_ms = None

    def add(self, data: CommittedData) -> bool:
        """Take in records; returns whether there is something for the reader."""
        moved = data.next_offset > self.next_offset
        self._handed_out = self.position
        self._buffer.extend(data.batches)
        self.buffered_bytes += sum(len(batch.data) for batch in data.batches)
        self.next_offset = data.next_offset
        self.wanted_bytes = data.needed_bytes
        return moved

    def is_known_by(self, update: int) -> bool:
        """Whether the leader was found in this update of the metadata, and has not failed since."""
        return self._known_update == update

    def know(self, leader: Leader, topic_id: bytes | None, update: int) -> None:
        """Note whom to ask, and by which id, as an update of the metadata says."""
        self.leader = leader
        self._known_id = topic_id
        self._known_update = update

    def ask(self, share_bytes: int) -> AskedPartition:
        """Be in a request to the leader; the same value as before where nothing has changed."""
        assert self.leader is not None
        self.state = State.ASKED
        max_bytes = max(share_bytes - self.buffered_bytes, self.wanted_bytes)
        before = self._asked
        if (
            before is None
            or before.fetch_offset != self.next_offset
            or before.max_bytes != max_bytes
            or before.leader_epoch != self.leader.epoch
            or before.topic_id != self._known_id
        ):
            before = self._asked = AskedPartition(
                self.topic,
                self._known_id,
                self.partition,
                self.leader.epoch,
                self.next_offset,
                max_bytes,
            )
        return before

    def pause(
        self, pause_ms: Callable[[int], int], now_ms: int, needed_update: int, unheard_since_ms: int
    ) -> None:
        """Wait after an error.

        Args:
            pause_ms: the time for so many failures in a row.
            now_ms: the time now.
            needed_update: which update of the metadata must have come before, 0 for any.
            unheard_since_ms: since when there has been no good answer, if there was one before.
        """
        self.state = State.PAUSED
        self._known_update = _NEVER
        self.failures += 1
        self.retry_at_ms = now_ms + pause_ms(self.failures)
        self.needed_update = needed_update
        if self.unheard_since_ms is None:
            self.unheard_since_ms = unheard_since_ms

    def doubted_for_ms(self, now_ms: int) -> int:
        """How long the topic has not been what it was; it is doubted from now on."""
        if self.doubted_since_ms is None:
            self.doubted_since_ms = now_ms
        return now_ms - self.doubted_since_ms

    def fail(self, failure: Failure) -> None:
        """Stop; the reader will be told."""
        self.state = State.FAILED
        self.failure = failure
