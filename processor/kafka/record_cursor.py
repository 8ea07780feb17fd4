"""Where a reader is in a partition: amid a batch, and behind what it was given."""

from collections.abc import Iterator
from itertools import islice

from aiokafka.errors import KafkaError

from processor.kafka.batch_records import FetchedRecord, lenient_records_from, records_from
from processor.kafka.fetching.committed import CommittedBatch
from processor.kafka.fetching.reading import Reading


class RecordCursor:
    """Hands out the records of a reading.

    Attributes:
        position: the next offset; it moves with what is handed out.
    """

    def __init__(self, reading: Reading) -> None:
        self.position = reading.position
        self._reading = reading
        self._batch: CommittedBatch | None = None
        self._records: Iterator[FetchedRecord] | None = None

    def take(self, max_records: int) -> list[FetchedRecord]:
        """The next records; none when none are buffered.

        Raises:
            KafkaError: the next one cannot be decoded.
        """
        found = list[FetchedRecord]()
        while len(found) < max_records and self._has_batch():
            try:
                found += self._take_of_batch(max_records - len(found))
            except KafkaError:
                # It comes again at the next call, with nothing before it.
                if not found:
                    raise
                break
        if self._batch is None:
            self.position = max(self.position, self._reading.position)
        return found

    def _has_batch(self) -> bool:
        if self._batch is None:
            self._batch = self._reading.take()
        return self._batch is not None

    def _take_of_batch(self, max_records: int) -> list[FetchedRecord]:
        assert self._batch is not None
        if self._records is None:
            self._records = records_from(self._batch, self.position)
        try:
            found = list(islice(self._records, max_records))
        except UnicodeDecodeError:
            self._records = lenient_records_from(self._batch, self.position)
            return []
        except KafkaError:
            # A decoder that has raised is at its end, and would seem to have no more.
            self._records = None
            raise
        self.position = found[-1].offset + 1 if found else self._batch.next_offset
        if self.position >= self._batch.next_offset:
            self._batch = self._records = None
        return found
