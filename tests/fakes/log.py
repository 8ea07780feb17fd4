"""One partition as Kafka keeps it: offsets, transactions with their markers, holes."""

from bisect import bisect_left
from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from processor.errors import OffsetGone
from processor.wire.record import Record


class StoredRecord(NamedTuple):
    """An `InputRecord`."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


class Outcome(Enum):
    """What became of a transaction."""

    OPEN = "open"
    COMMITTED = "committed"
    ABORTED = "aborted"


class Transaction:
    """A transaction, over any number of partitions."""

    def __init__(self) -> None:
        self.outcome = Outcome.OPEN
        self._logs: list[PartitionLog] = []

    def join(self, log: "PartitionLog") -> None:
        """Take a partition in; it gets a marker at the end."""
        if log not in self._logs:
            self._logs.append(log)

    def end(self, outcome: Outcome) -> None:
        """Commit or abort, everywhere at once."""
        self.outcome = outcome
        for log in self._logs:
            log.mark(self)


class _Entry(NamedTuple):
    offset: int
    record: StoredRecord | None  # None: a transaction marker
    transaction: Transaction | None

    @property
    def visible(self) -> bool:
        if self.record is None:
            return False
        return self.transaction is None or self.transaction.outcome is Outcome.COMMITTED


class PartitionLog:
    """A partition. ``end`` counts what is not committed yet, `stable_end` does not."""

    def __init__(self) -> None:
        self.begin = 0
        self.end = 0
        self._entries: list[_Entry] = []
        self._open: dict[Transaction, int] = {}

    @property
    def stable_end(self) -> int:
        """Where a reader of committed records gets to: the first open transaction, or the end."""
        return min(self._open.values(), default=self.end)

    def append(
        self,
        records: Iterable[Record],
        timestamp: int,
        transaction: Transaction | None = None,
    ) -> int:
        """Add records; the offset after the last."""
        if transaction is not None:
            transaction.join(self)
            self._open.setdefault(transaction, self.end)
        for key, value, headers in records:
            record = StoredRecord(self.end, timestamp, key, value, tuple(headers))
            self._put(record, transaction)
        return self.end

    def mark(self, transaction: Transaction) -> None:
        """End a transaction here; its marker takes an offset."""
        self._open.pop(transaction, None)
        self._put(None, transaction)

    def _put(self, record: StoredRecord | None, transaction: Transaction | None) -> None:
        self._entries.append(_Entry(self.end, record, transaction))
        self.end += 1

    def read(self, offset: int, max_records: int) -> tuple[list[StoredRecord], int]:
        """Committed records from an offset on, and the next position.

        As in Kafka, markers and holes after the last record are passed by a later read only.

        Raises:
            OffsetGone: the offset is not in the log.
        """
        if not self.begin <= offset <= self.end:
            raise OffsetGone(f"{offset} is not in {self.begin} to {self.end}")
        stable_end = self.stable_end
        records: list[StoredRecord] = []
        for at in range(self._index(offset), len(self._entries)):
            entry = self._entries[at]
            if entry.offset >= stable_end or len(records) == max_records:
                break
            if entry.record is not None and entry.visible:
                records.append(entry.record)
        return records, records[-1].offset + 1 if records else max(offset, stable_end)

    def records(self) -> list[StoredRecord]:
        """All committed records."""
        return self.read(self.begin, len(self._entries))[0]

    def delete_before(self, offset: int) -> None:
        """What retention does."""
        del self._entries[: self._index(offset)]
        self.begin = offset

    def compact(self, *, drop_tombstones: bool = False) -> None:
        """Keep each key's last record only, and no markers; offsets stay."""
        stable_end = self.stable_end
        latest = {record.key: record.offset for record in self.records()}

        def stays(entry: _Entry) -> bool:
            if entry.offset >= stable_end:
                return True
            if entry.record is None or not entry.visible:
                return False
            if drop_tombstones and entry.record.value is None:
                return False
            return latest[entry.record.key] == entry.offset

        self._entries = [entry for entry in self._entries if stays(entry)]

    def _index(self, offset: int) -> int:
        return bisect_left(self._entries, offset, key=lambda entry: entry.offset)
