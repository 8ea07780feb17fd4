"""A Kafka in memory: what a cluster keeps, whoever its clients are."""

from collections.abc import Iterable, Mapping

from processor.errors import RoundAborted, SessionLost
from processor.reader.ports import Clock
from processor.task.ports import Membership, Partition, TransactionView
from processor.topic_rules import DEAD_LETTER_MAX_BYTES, OUTPUT_MAX_BYTES
from processor.topics import Topics
from processor.wire.record import Record
from tests.fakes.clock import FakeClock
from tests.fakes.group import FakeGroup
from tests.fakes.log import Outcome, PartitionLog, Transaction


class _Producer:
    """What the cluster knows of a transactional id."""

    def __init__(self, producer_id: int) -> None:
        self.producer_id = producer_id
        self.epoch = -1
        self.transaction: Transaction | None = None
        self.partitions: set[Partition] = set()
        self.pending: dict[tuple[str, Partition], int] = {}
        self.hanging: Transaction | None = None

    def end(self, outcome: Outcome) -> None:
        """End the open transaction."""
        if self.transaction is not None:
            self.transaction.end(outcome)
        self.transaction = None
        self.partitions = set()
        self.pending = {}

    def settle(self) -> dict[tuple[str, Partition], int]:
        """Commit what was committed without its markers; the offsets in it."""
        if self.hanging is None:
            return {}
        offsets = self.pending
        self.hanging.end(Outcome.COMMITTED)
        self.hanging, self.partitions, self.pending = None, set(), {}
        return offsets


class FakeKafka:
    """Partitions, transactional ids and the offsets of groups.

    With a ``group``, offsets are taken from members of its current generation only. While it
    ``loses_markers``, what is committed hangs in its partitions (KAFKA-20734).
    """

    def __init__(
        self, num_streams: int = 1, *, topics: Topics | None = None, clock: Clock | None = None
    ) -> None:
        self.topics = topics or Topics()
        self.num_streams = num_streams
        self.group: FakeGroup | None = None
        self.loses_markers = False
        self.group_offsets: dict[tuple[str, Partition], int] = {}
        self.topic_ids = {topic: f"id-of-{topic}" for topic in self.topics.all}
        self._clock = clock or FakeClock()
        self._producers: dict[str, _Producer] = {}
        self._logs = {
            (topic, partition): PartitionLog()
            for topic in self.topics.all
            for partition in range(num_streams)
        }

    def log(self, topic: str, partition: int) -> PartitionLog:
        """A partition."""
        return self._logs[topic, partition]

    def append(self, topic: str, partition: int, records: Iterable[Record]) -> int:
        """Write as a producer without transactions does; the end."""
        return self.log(topic, partition).append(records, self._now_ms())

    def recreate(self, topic: str) -> None:
        """Delete a topic and make it anew."""
        self.topic_ids[topic] += "-again"
        for partition in range(self.num_streams):
            self._logs[topic, partition] = PartitionLog()

    # Transactions

    def acquire(self, transactional_id: str) -> int:
        """Abort what the id has open, and cut off whoever used it; the new epoch."""
        producer = self._producers.get(transactional_id)
        if producer is None:
            producer = self._producers[transactional_id] = _Producer(len(self._producers))
        self.group_offsets |= producer.settle()
        producer.end(Outcome.ABORTED)
        producer.epoch += 1
        return producer.epoch

    def send(
        self, transactional_id: str, epoch: int, where: Partition, records: list[Record]
    ) -> int:
        """Write within the id's transaction; the offset after the last record."""
        producer = self._producer(transactional_id, epoch)
        for key, value, headers in records:
            size = len(key or b"") + len(value or b"") + sum(len(v or b"") for _, v in headers)
            if size > self._max_bytes(where.topic):
                producer.end(Outcome.ABORTED)
                raise RoundAborted(f"MessageSizeTooLarge: a record of {size} bytes to {where}")
        transaction = self._open(producer)
        producer.partitions.add(where)
        return self.log(*where).append(records, self._now_ms(), transaction)

    def send_offsets(
        self,
        transactional_id: str,
        epoch: int,
        app_id: str,
        offsets: Mapping[Partition, int],
        membership: Membership | None,
    ) -> None:
        """Take a group's offsets into the id's transaction."""
        producer = self._producer(transactional_id, epoch)
        if self.group is not None and not self.group.knows(membership):
            producer.end(Outcome.ABORTED)
            raise RoundAborted(f"IllegalGeneration: {membership} is not a member now")
        self._open(producer)
        producer.pending = {(app_id, where): offset for where, offset in offsets.items()}

    def commit(self, transactional_id: str, epoch: int) -> int:
        """Commit the id's transaction; the epoch of the next one."""
        producer = self._producer(transactional_id, epoch)
        if producer.transaction is None:
            raise SessionLost(f"InvalidTxnState: {transactional_id} has no open transaction")
        if self.loses_markers:
            producer.hanging, producer.transaction = producer.transaction, None
        else:
            self.group_offsets |= producer.pending
            producer.end(Outcome.COMMITTED)
        producer.epoch += 1
        return producer.epoch

    def settle(self, transactional_id: str, epoch: int) -> None:
        """End what hangs of the id's last transaction."""
        self.group_offsets |= self._producer(transactional_id, epoch).settle()

    def describe(self, transactional_id: str) -> TransactionView:
        """What the coordinator says of an id."""
        producer = self._producers.get(transactional_id) or _Producer(-1)
        return TransactionView(
            transactional_id,
            producer.producer_id,
            producer.epoch,
            producer.transaction is not None,
            False,
            frozenset(producer.partitions),
        )

    def abort(self, seen: TransactionView) -> None:
        """Abort the transaction that was seen, if it is still open, and cut its owner off."""
        producer = self._producers[seen.transactional_id]
        if producer.epoch == seen.producer_epoch and producer.transaction is not None:
            producer.end(Outcome.ABORTED)
            producer.epoch += 1

    def holders(self, partitions: Iterable[Partition]) -> list[str]:
        """The ids whose transactions are open, or hang, in these partitions."""
        wanted = set(partitions)
        return [
            name for name, one in self._producers.items() if not wanted.isdisjoint(one.partitions)
        ]

    def is_pending(self, app_id: str, where: Partition) -> bool:
        """Whether an open transaction has an offset of the group for a partition."""
        return any((app_id, where) in one.pending for one in self._producers.values())

    def _open(self, producer: _Producer) -> Transaction:
        if producer.transaction is None:
            self.group_offsets |= producer.settle()  # the next markers end it
            producer.transaction = Transaction()
        return producer.transaction

    def _producer(self, transactional_id: str, epoch: int) -> _Producer:
        producer = self._producers[transactional_id]
        if producer.epoch != epoch:
            raise SessionLost(f"ProducerFenced: {transactional_id} is at epoch {producer.epoch}")
        return producer

    def _max_bytes(self, topic: str) -> int:
        return DEAD_LETTER_MAX_BYTES if topic == self.topics.dead_letters else OUTPUT_MAX_BYTES

    def _now_ms(self) -> int:
        return self._clock.now_us() // 1000
