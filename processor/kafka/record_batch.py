"""Record batches that take many records at once, and are stamped with who produces them."""

from collections.abc import Sequence
from itertools import islice
from typing import Any, Final

from aiokafka.record.default_records import DefaultRecordBatchBuilder

OutputRecord = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]
"""Key, value and headers."""

_MAGIC: Final = 2
_NOT_COMPRESSED: Final = 0
_NO_PRODUCER: Final = (-1, -1, -1)


class RecordBatch:
    """A batch for one partition.

    Not compressed, so that it can be stamped again for another producer: the builder compresses
    in place.
    """

    def __init__(self, max_bytes: int, *, transactional: bool = True) -> None:
        """Begin without records.

        Args:
            max_bytes: the size that it may have; one record may be larger.
            transactional: whether its records belong to a transaction.
        """
        self._builder: Any = DefaultRecordBatchBuilder(
            _MAGIC, _NOT_COMPRESSED, int(transactional), *_NO_PRODUCER, max_bytes
        )
        self._records = 0
        self._stamped = _NO_PRODUCER
        self._encoded: bytearray | None = None

    @property
    def records(self) -> int:
        """The number of records."""
        return self._records

    @property
    def size_bytes(self) -> int:
        """The encoded size."""
        return int(self._builder.size())

    def extend(self, records: Sequence[OutputRecord], begin: int = 0) -> int:
        """Add records, in their order, until the batch is full.

        Args:
            records: the records.
            begin: the index of the first one to add.

        Returns:
            The index of the first record that did not fit, or the number of records. An empty
            batch takes at least one, however large.

        Raises:
            RuntimeError: the batch was stamped already.
        """
        if self._encoded is not None:
            raise RuntimeError("a stamped batch takes no more records")
        append = self._builder.append
        offset = self._records
        for key, value, headers in islice(records, begin, None):
            if append(offset, None, key, value, headers) is None:
                break
            offset += 1
        end = begin + offset - self._records
        self._records = offset
        return end

    def stamp(self, producer_id: int, producer_epoch: int, base_sequence: int) -> bytearray:
        """Encode with the producer's state; the same state again costs nothing.

        Returns:
            The batch. It is good until it is stamped for another producer.
        """
        state = producer_id, producer_epoch, base_sequence
        if self._encoded is None or state != self._stamped:
            self._builder.set_producer_state(*state)
            self._encoded, self._stamped = self._builder.build(), state
        return self._encoded
