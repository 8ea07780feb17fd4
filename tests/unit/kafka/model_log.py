"""A partition's log as a model: transactions, markers, compaction, and what a fetch of it gives."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from processor.kafka.fetching.values import AbortedTransaction, FetchedPartition
from tests.unit.kafka.log_bytes import ABORT, COMMIT, batch, marker, record

_TRANSACTIONAL = 0x10


@dataclass
class Entry:
    """A batch: ``values`` by offset; a marker has none."""

    base: int
    last: int
    producer: int
    values: dict[int, bytes] = field(default_factory=dict)
    kind: int | None = None
    decided: bool = False
    raw: bytes | None = None

    def to_bytes(self) -> bytes:
        if self.raw is not None:
            return self.raw
        if self.kind is not None:
            return marker(self.base, self.producer, self.kind)
        records = [record(at - self.base, None, value) for at, value in self.values.items()]
        return batch(
            self.base,
            records,
            last_delta=self.last - self.base,
            producer_id=self.producer,
            attributes=_TRANSACTIONAL if self.producer >= 0 else 0,
        )


@dataclass
class Aborted:
    producer: int
    first: int
    last: int


class ModelLog:
    """A log; ``committed`` is what its readers must see, by offset, whatever is compacted."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.begin = 0
        self.end = 0
        self.open: dict[int, int] = {}
        self.aborted: list[Aborted] = []
        self.committed: dict[int, bytes] = {}

    @property
    def stable(self) -> int:
        return min(self.open.values(), default=self.end)

    def write(self, producer: int, count: int) -> None:
        """Append a batch; producer -1 writes in no transaction."""
        base = self.end
        values = {at: b"%d" % at for at in range(base, base + count)}
        self.end += count
        self.entries.append(Entry(base, self.end - 1, producer, values))
        if producer < 0:
            self.entries[-1].decided = True
            self.committed.update(values)
        else:
            self.open.setdefault(producer, base)

    def raw(self, data: bytes, count: int) -> None:
        """Append a batch as it is."""
        self.entries.append(Entry(self.end, self.end + count - 1, -1, decided=True, raw=data))
        self.end += count

    def end_transaction(self, producer: int, commit: bool) -> None:
        if producer not in self.open:
            return
        first = self.open.pop(producer)
        for entry in self.entries:
            if entry.producer == producer and not entry.decided:
                entry.decided = True
                if commit:
                    self.committed.update(entry.values)
        if not commit:
            self.aborted.append(Aborted(producer, first, self.end))
        kind = COMMIT if commit else ABORT
        self.entries.append(Entry(self.end, self.end, producer, kind=kind, decided=True))
        self.end += 1

    def compact(self, offsets: Sequence[int], whole: bool) -> None:
        """Remove records that are decided; batches without any stay empty, or go, too."""
        below = self.stable
        for entry in self.entries:
            if entry.last < below and entry.decided:
                for at in offsets:
                    entry.values.pop(at, None)
        if whole:
            self.entries = [
                one
                for one in self.entries
                if one.values
                or one.kind is not None
                or one.last >= below
                or one.last == self.end - 1
            ]

    @property
    def left(self) -> set[int]:
        """The offsets of committed records that were not compacted away."""
        return {at for one in self.entries for at in one.values if at in self.committed}

    def fetch(
        self, partition: int, topic_id: bytes, offset: int, max_bytes: int
    ) -> FetchedPartition:
        """What a broker answers."""
        data, upper, below = b"", offset, self.stable
        for entry in self.entries:
            if entry.last < offset or entry.base >= below:
                continue
            if len(data) >= max_bytes:
                break
            data += entry.to_bytes()
            upper = entry.last + 1
        aborted = [
            AbortedTransaction(one.producer, one.first)
            for one in self.aborted
            if one.last >= offset and one.first < upper
        ]
        records = memoryview(data[:max_bytes])
        return FetchedPartition(topic_id, partition, 0, self.end, below, aborted, records)
