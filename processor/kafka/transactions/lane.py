"""The batches of one partition on their way to its leader, one after the other."""

import math
from collections import deque
from collections.abc import Sequence

from processor.kafka.transactions.backoff import later, soon
from processor.kafka.transactions.errors import Judgement, Remedy, judge
from processor.kafka.transactions.requests import Produce, ProducedBatch
from processor.kafka.transactions.responses import Written
from processor.kafka.transactions.round import Batch
from processor.kafka.transactions.sequences import Sequences
from processor.kafka.transactions.values import TopicPartition


class Lane:
    """A partition's batches that are not acknowledged yet, and the offsets of those that are."""

    def __init__(
        self,
        partition: TopicPartition,
        batches: Sequence[Batch],
        sequences: Sequences,
        now_ms: float,
    ) -> None:
        self.partition = partition
        self.due_ms = now_ms
        self.in_doubt = False
        """Whether the leader may have the first batch without our knowing."""
        self.base_offsets: list[int] = []
        self._batches = deque(batches)
        self._sequences = sequences
        self._soon = soon()
        self._later = later()
        self._missing_since_ms: float | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the leader has all batches."""
        return not self._batches

    @property
    def size_bytes(self) -> int:
        """The size of the next batch."""
        return self._batches[0].size_bytes

    def add(self, batches: Sequence[Batch]) -> None:
        """More batches, after the others."""
        self._batches.extend(batches)

    def send(self) -> ProducedBatch:
        """The next batch; it is on its way."""
        self.due_ms = math.inf
        sequence = self._sequences.next(self.partition)
        return ProducedBatch(self.partition, self._batches[0], sequence)

    def receive(self, written: Written, now_ms: float) -> Judgement:
        """Take an answer for the batch that is on its way."""
        judgement = judge(Produce, written.error_code, self.partition)
        if judgement.remedy is Remedy.DONE or (
            judgement.remedy is Remedy.REPEATED and self.in_doubt
        ):
            self._acknowledge(written.base_offset, now_ms)
            return Judgement(Remedy.DONE, judgement.cause)
        if judgement.remedy is Remedy.REPEATED:
            # Somebody else has used our sequence numbers.
            return Judgement(Remedy.DEAD, judgement.cause)
        # A leader asks the coordinator before it writes; after all else it may have written.
        self.in_doubt |= judgement.remedy not in (Remedy.WAIT, Remedy.ABORT)
        self._send_again(judgement.remedy, now_ms)
        return judgement

    def lose(self, now_ms: float, *, sent: bool) -> None:
        """Send the batch again, since no answer came.

        Args:
            now_ms: the time.
            sent: whether the leader may have it.
        """
        self.in_doubt |= sent
        self._send_again(Remedy.MOVED, now_ms)

    def missing_for_ms(self, now_ms: float) -> float:
        """How long the leader has not known the topic."""
        return 0.0 if self._missing_since_ms is None else now_ms - self._missing_since_ms

    def _acknowledge(self, base_offset: int, now_ms: float) -> None:
        batch = self._batches.popleft()
        self._sequences.advance(self.partition, batch.records)
        self.base_offsets.append(base_offset)
        self.in_doubt = False
        self.due_ms = now_ms
        self._missing_since_ms = None
        self._soon.reset()
        self._later.reset()

    def _send_again(self, remedy: Remedy, now_ms: float) -> None:
        pause = self._soon if remedy is Remedy.WAIT else self._later
        self.due_ms = now_ms + pause.pause_ms()
        if remedy is not Remedy.MISSING:
            self._missing_since_ms = None
        elif self._missing_since_ms is None:
            self._missing_since_ms = now_ms
