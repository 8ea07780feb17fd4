"""The committed batches among the records of one answer.

Each answer names all aborted transactions that reach into it, so nothing has to be remembered from
one answer to the next.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from processor.kafka.fetching.batches import Batch, CorruptBatch, is_abort_marker, split_batches
from processor.kafka.fetching.values import AbortedTransaction

Intact = Callable[[memoryview, int], bool]
"""Whether the checksum of a batch, given with its format, fits."""


@dataclass(frozen=True, slots=True)
class CommittedBatch:
    """A whole batch of committed records.

    The first of its records may lie before the position that was asked for.
    """

    base_offset: int
    next_offset: int
    magic: int
    data: bytes


@dataclass(frozen=True, slots=True)
class CommittedData:
    """The content of an answer.

    Attributes:
        batches: those to be handed out.
        next_offset: where to ask next; past markers, aborted records and empty batches.
        needed_bytes: how much to ask for next where not even one batch came whole, else 0.
        corrupt: what is wrong with the batch at ``next_offset``, or None.
    """

    batches: Sequence[CommittedBatch]
    next_offset: int
    needed_bytes: int = 0
    corrupt: str | None = None


class _Aborted:
    """Which producers are in an aborted transaction, batch by batch."""

    def __init__(self, transactions: Sequence[AbortedTransaction]) -> None:
        self._to_come = sorted(transactions, key=lambda one: one.first_offset, reverse=True)
        self._producers: set[int] = set()

    def has(self, batch: Batch) -> bool:
        """Whether a batch belongs to an aborted transaction; call it for every batch."""
        while self._to_come and self._to_come[-1].first_offset < batch.next_offset:
            self._producers.add(self._to_come.pop().producer_id)
        if batch.is_control and is_abort_marker(batch):
            self._producers.discard(batch.producer_id)
        return batch.is_transactional and batch.producer_id in self._producers


def committed_data(
    records: memoryview, transactions: Sequence[AbortedTransaction], offset: int, intact: Intact
) -> CommittedData:
    """Pick the committed batches of one answer.

    Args:
        records: as the broker sent them.
        transactions: the aborted ones of the same answer.
        offset: the one that was asked for.
        intact: checks a batch's checksum.
    """
    aborted, found, asked = _Aborted(transactions), list[CommittedBatch](), offset
    try:
        for batch in split_batches(records):
            if not intact(batch.data, batch.magic):
                return CommittedData(found, offset, corrupt="its checksum does not fit")
            skipped = aborted.has(batch) or batch.is_control or not batch.count
            if not skipped and batch.next_offset > asked:
                found.append(_copy(batch))
            offset = max(offset, batch.next_offset)
    except CorruptBatch as error:
        return CommittedData(found, offset, corrupt=str(error))
    return CommittedData(found, offset, 0 if offset > asked else 2 * len(records))


def _copy(batch: Batch) -> CommittedBatch:
    # The copy lets go of the whole answer's buffer, which is shared by many partitions.
    data = bytes(batch.data)
    return CommittedBatch(batch.base_offset, batch.next_offset, batch.magic, data)
