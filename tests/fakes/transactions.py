"""A cluster at the level of the transaction machines' requests.

One coordinator, leaders and a group; transactions of version 1 and 2 with their states, markers
that are written later, epochs, sequence numbers, fencing and generations. Whoever holds it decides
what is lost, and when: `FakeCluster.handle` has the effect and gives the answer, and
`FakeCluster.write_marker` writes one marker.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count

from processor.kafka.transactions.error_codes import ErrorCode
from processor.kafka.transactions.requests import (
    AddOffsets,
    AddPartitions,
    CommitOffsets,
    Describe,
    End,
    FindCoordinator,
    InitProducerId,
    Produce,
    ProducedBatch,
    RefreshLeaders,
    Request,
)
from processor.kafka.transactions.responses import (
    CoordinatorFound,
    Described,
    Ended,
    LeadersFound,
    OffsetsAdded,
    OffsetsCommitted,
    PartitionsAdded,
    Produced,
    ProducerIdGiven,
    Response,
    Written,
)
from processor.kafka.transactions.round import Offset
from processor.kafka.transactions.values import (
    CoordinatorKind,
    Ending,
    Producer,
    TopicPartition,
    TransactionVersion,
)

OFFSETS = TopicPartition("__consumer_offsets", 0)
_WRAP = 2**31
_KEPT = 5


@dataclass(frozen=True)
class FakeBatch:
    """A batch that is known by a name."""

    name: str
    records: int = 1
    size_bytes: int = 100

    def stamp(self, producer_id: int, producer_epoch: int, base_sequence: int) -> bytes:
        """Nothing that is read."""
        return f"{self.name}:{producer_id}:{producer_epoch}:{base_sequence}".encode()


@dataclass
class Transaction:
    """What the coordinator knows of a transactional id."""

    producer: Producer
    timeout_ms: int
    state: str = "Empty"
    partitions: set[TopicPartition] = field(default_factory=set)
    unmarked: list[TopicPartition] = field(default_factory=list)
    raised: bool = False
    next_producer: Producer | None = None


@dataclass
class _Entry:
    """A producer in a leader's log."""

    epoch: int = -1
    next_sequence: int = 0
    recent: dict[int, int] = field(default_factory=dict)


@dataclass
class _Record:
    batch: FakeBatch
    producer_id: int
    ending: Ending | None = None


class _Log:
    """The batches of a partition, and how each ended."""

    def __init__(self) -> None:
        self.records: list[_Record] = []
        self._entries: dict[int, _Entry] = defaultdict(_Entry)

    def append(self, producer: Producer, sent: ProducedBatch) -> Written:
        entry = self._entries[producer.id]
        if producer.epoch < entry.epoch:
            return Written(ErrorCode.INVALID_PRODUCER_EPOCH)
        expected = entry.next_sequence if producer.epoch == entry.epoch else 0
        if producer.epoch == entry.epoch and sent.base_sequence in entry.recent:
            return Written(0, entry.recent[sent.base_sequence])
        if sent.base_sequence != expected:
            repeated = (expected - sent.base_sequence) % _WRAP < _WRAP // 2
            codes = ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, ErrorCode.DUPLICATE_SEQUENCE_NUMBER
            return Written(codes[repeated])
        if producer.epoch > entry.epoch:
            entry.recent.clear()
        entry.epoch = producer.epoch
        entry.next_sequence = (expected + sent.batch.records) % _WRAP
        entry.recent[expected] = len(self.records)
        while len(entry.recent) > _KEPT:
            del entry.recent[next(iter(entry.recent))]
        assert isinstance(sent.batch, FakeBatch)
        self.records.append(_Record(sent.batch, producer.id))
        return Written(0, len(self.records) - 1)

    def mark(self, producer: Producer, ending: Ending) -> None:
        for record in self.records:
            if record.producer_id == producer.id and record.ending is None:
                record.ending = ending
        entry = self._entries[producer.id]
        if producer.epoch > entry.epoch:
            entry.epoch, entry.next_sequence = producer.epoch, 0
            entry.recent.clear()


class FakeCluster:
    """All brokers together."""

    def __init__(self, *, nodes: int = 2, last_epoch: int = 32_767, partitions: int = 4) -> None:
        self.leaders = {TopicPartition("t", p): p % nodes for p in range(partitions)}
        self.coordinators = dict.fromkeys(CoordinatorKind, 0)
        self.member = ("member", 1)
        self.committed: dict[TopicPartition, Offset] = {}
        self.transactions: dict[str, Transaction] = {}
        self._nodes = nodes
        self._last_epoch = last_epoch
        self._logs: dict[TopicPartition, _Log] = defaultdict(_Log)
        self._pending: dict[int, dict[TopicPartition, Offset]] = defaultdict(dict)
        self._producer_ids = count(1000)

    # What a test looks at, or does.

    def read(self, partition: TopicPartition) -> list[str]:
        """The names of the committed batches."""
        records = self._logs[partition].records
        return [record.batch.name for record in records if record.ending is Ending.COMMIT]

    def name_at(self, partition: TopicPartition, offset: int) -> str:
        """The name of the batch at an offset."""
        return self._logs[partition].records[offset].batch.name

    @property
    def has_open_records(self) -> bool:
        """Whether any record is neither committed nor aborted."""
        return any(r.ending is None for log in self._logs.values() for r in log.records)

    def ends(self, partition: TopicPartition) -> tuple[int, int]:
        """The last stable offset of a partition, and its end."""
        records = self._logs[partition].records
        undecided = (at for at, record in enumerate(records) if record.ending is None)
        return next(undecided, len(records)), len(records)

    def lose_marker(self, partition: TopicPartition) -> None:
        """Forget a marker that is still to be written, as for a deleted partition."""
        for found in self.transactions.values():
            if partition in found.unmarked:
                found.unmarked.remove(partition)

    def move(self, partition: TopicPartition) -> None:
        """Give a partition another leader."""
        self.leaders[partition] = (self.leaders[partition] + 1) % self._nodes

    def move_coordinator(self, kind: CoordinatorKind) -> None:
        """Give all groups, or all transactional ids, another coordinator."""
        self.coordinators[kind] = (self.coordinators[kind] + 1) % self._nodes

    def write_marker(self) -> bool:
        """Write one marker, and say whether there was one to write."""
        for found in self.transactions.values():
            if found.state.startswith("Prepare"):
                if found.unmarked:
                    self._mark(found, found.unmarked.pop())
                else:
                    self._complete(found)
                return True
        return False

    def _mark(self, found: Transaction, where: TopicPartition) -> None:
        ending = Ending.COMMIT if found.state == "PrepareCommit" else Ending.ABORT
        if where == OFFSETS:
            offsets = self._pending.pop(found.producer.id, {})
            if ending is Ending.COMMIT:
                self.committed.update(offsets)
        else:
            self._logs[where].mark(found.producer, ending)

    def _complete(self, found: Transaction) -> None:
        found.state = found.state.replace("Prepare", "Complete")
        found.partitions.clear()
        if found.next_producer is not None:
            found.producer, found.next_producer = found.next_producer, None

    # What brokers do.

    def handle(self, request: Request) -> Response:
        """Take effect, and answer."""
        match request:
            case FindCoordinator():
                return CoordinatorFound(0, self.coordinators[request.key.kind])
            case RefreshLeaders():
                return LeadersFound({where: self.leaders[where] for where in request.partitions})
            case InitProducerId():
                return self._init(request)
            case Describe():
                return self._describe(request)
            case AddPartitions():
                code = self._add_here(request, request.partitions)
                return PartitionsAdded(dict.fromkeys(request.partitions, code))
            case AddOffsets():
                return OffsetsAdded(self._add_here(request, (OFFSETS,)))
            case Produce():
                return Produced(
                    {sent.partition: self._write(request, sent) for sent in request.batches}
                )
            case CommitOffsets():
                code = self._commit_offsets(request)
                return OffsetsCommitted(dict.fromkeys(request.offsets.offsets, code))
            case End():
                return self._end(request)

    def _is_here(self, node: int) -> bool:
        return node == self.coordinators[CoordinatorKind.TRANSACTION]

    def _init(self, request: InitProducerId) -> ProducerIdGiven:
        if not self._is_here(request.node):
            return ProducerIdGiven(ErrorCode.NOT_COORDINATOR)
        found = self.transactions.get(request.transactional_id)
        if found is None:
            found = Transaction(Producer(next(self._producer_ids), -1), request.timeout_ms)
            self.transactions[request.transactional_id] = found
        if found.state.startswith("Prepare"):
            return ProducerIdGiven(ErrorCode.CONCURRENT_TRANSACTIONS)
        if found.state == "Ongoing":
            self._prepare(found, Ending.ABORT, raised=True)
            return ProducerIdGiven(ErrorCode.CONCURRENT_TRANSACTIONS)
        found.producer = self._raise(found.producer)
        found.state, found.timeout_ms, found.raised = "Empty", request.timeout_ms, False
        return ProducerIdGiven(0, found.producer)

    def _raise(self, producer: Producer) -> Producer:
        if producer.epoch + 1 >= self._last_epoch:
            return Producer(next(self._producer_ids), 0)
        return replace(producer, epoch=producer.epoch + 1)

    def _describe(self, request: Describe) -> Described:
        if not self._is_here(request.node):
            return Described(ErrorCode.NOT_COORDINATOR)
        found = self.transactions.get(request.transactional_id)
        if found is None:
            return Described(ErrorCode.TRANSACTIONAL_ID_NOT_FOUND)
        return Described(0, found.state, found.producer, found.timeout_ms)

    def _add_here(
        self, request: AddPartitions | AddOffsets, partitions: tuple[TopicPartition, ...]
    ) -> int:
        if not self._is_here(request.node):
            return ErrorCode.NOT_COORDINATOR
        return self._add(request.transactional_id, request.producer, partitions)

    def _add(self, name: str, producer: Producer, partitions: tuple[TopicPartition, ...]) -> int:
        found = self.transactions[name]
        if found.next_producer == producer:
            return ErrorCode.CONCURRENT_TRANSACTIONS
        if (code := self._known(found, producer)) is not None:
            return code
        if found.state.startswith("Prepare"):
            return ErrorCode.CONCURRENT_TRANSACTIONS
        found.state, found.raised = "Ongoing", False
        found.partitions.update(partitions)
        return ErrorCode.NONE

    def _known(self, found: Transaction, producer: Producer) -> int | None:
        if found.producer.id != producer.id:
            return ErrorCode.INVALID_PRODUCER_ID_MAPPING
        return None if found.producer.epoch == producer.epoch else ErrorCode.PRODUCER_FENCED

    def _join(self, request: Produce | CommitOffsets, partition: TopicPartition) -> int:
        """Version 2 adds the partition, version 1 verifies that it was added."""
        if request.version is TransactionVersion.V2:
            return self._add(request.transactional_id, request.producer, (partition,))
        found = self.transactions[request.transactional_id]
        if (code := self._known(found, request.producer)) is not None:
            return code
        known = found.state == "Ongoing" and partition in found.partitions
        return ErrorCode.NONE if known else ErrorCode.INVALID_TXN_STATE

    def _write(self, request: Produce, sent: ProducedBatch) -> Written:
        if self.leaders[sent.partition] != request.node:
            return Written(ErrorCode.NOT_LEADER_OR_FOLLOWER)
        code = self._join(request, sent.partition)
        return Written(code) if code else self._logs[sent.partition].append(request.producer, sent)

    def _commit_offsets(self, request: CommitOffsets) -> int:
        if self.coordinators[CoordinatorKind.GROUP] != request.node:
            return ErrorCode.NOT_COORDINATOR
        code = self._join(request, OFFSETS)
        if code:
            return code
        if (request.offsets.member_id, request.offsets.generation) != self.member:
            return ErrorCode.ILLEGAL_GENERATION
        self._pending[request.producer.id].update(request.offsets.offsets)
        return ErrorCode.NONE

    def _end(self, request: End) -> Ended:
        if not self._is_here(request.node):
            return Ended(ErrorCode.NOT_COORDINATOR)
        found = self.transactions[request.transactional_id]
        if request.version is TransactionVersion.V1:
            return Ended(self._end_v1(found, request))
        return self._end_v2(found, request)

    def _end_v1(self, found: Transaction, request: End) -> int:
        if (code := self._known(found, request.producer)) is not None:
            return code
        if found.state == "Ongoing":
            self._prepare(found, request.ending, raised=False)
            return ErrorCode.NONE
        if not found.state.endswith(request.ending.name.capitalize()):
            return ErrorCode.INVALID_TXN_STATE
        is_complete = found.state.startswith("Complete")
        return ErrorCode.NONE if is_complete else ErrorCode.CONCURRENT_TRANSACTIONS

    def _end_v2(self, found: Transaction, request: End) -> Ended:
        if found.raised and self._is_repeated(found, request.producer):
            if not found.state.endswith(request.ending.name.capitalize()):
                return Ended(ErrorCode.INVALID_TXN_STATE)
            if found.state.startswith("Prepare"):
                return Ended(ErrorCode.CONCURRENT_TRANSACTIONS)
            return Ended(ErrorCode.NONE, found.producer)
        if (code := self._known(found, request.producer)) is not None:
            return Ended(code)
        if found.state.startswith("Prepare"):
            return Ended(ErrorCode.PRODUCER_FENCED)
        if found.state != "Ongoing" and request.ending is Ending.COMMIT:
            return Ended(ErrorCode.INVALID_TXN_STATE)
        self._prepare(found, request.ending, raised=True)
        return Ended(ErrorCode.NONE, found.next_producer or found.producer)

    def _is_repeated(self, found: Transaction, producer: Producer) -> bool:
        raised = found.producer == replace(producer, epoch=producer.epoch + 1)
        return raised or (found.producer.epoch == 0 and producer.epoch + 1 == self._last_epoch)

    def _prepare(self, found: Transaction, ending: Ending, *, raised: bool) -> None:
        found.state = f"Prepare{ending.name.capitalize()}"
        found.unmarked = sorted(found.partitions)
        found.raised = raised
        if raised:
            found.producer = replace(found.producer, epoch=found.producer.epoch + 1)
            if found.producer.epoch >= self._last_epoch:
                found.next_producer = Producer(next(self._producer_ids), 0)


def names() -> Iterator[str]:
    """A new name for each batch."""
    return (f"batch-{number}" for number in count())
