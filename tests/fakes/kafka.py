"""A Kafka in memory: what a cluster keeps, whoever its clients are."""

from collections.abc import Iterable, Mapping

from processor.errors import FootingLost
from processor.runtime.ports import NO_QUEUES, Clock, Committed, OutputRecord
from processor.topic_rules import DEAD_LETTER_MAX_BYTES, OUTPUT_MAX_BYTES
from processor.topics import Topics
from tests.fakes.clock import FakeClock
from tests.fakes.log import Outcome, PartitionLog, Transaction


class _Producer:
    """What the cluster knows of a transactional id."""

    def __init__(self) -> None:
        self.epoch = -1
        self.transaction: Transaction | None = None


class FakeKafka:
    """Partitions, transactional ids and committed offsets."""

    def __init__(
        self, num_streams: int = 1, *, topics: Topics | None = None, clock: Clock | None = None
    ) -> None:
        self.topics = topics or Topics()
        self.num_streams = num_streams
        self.offsets: dict[tuple[str, int], Committed] = {}
        self.queue_offsets: dict[tuple[str, int], dict[str, int]] = {}
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

    def append(self, topic: str, partition: int, records: Iterable[OutputRecord]) -> int:
        """Write as a producer without transactions does; the end."""
        return self.log(topic, partition).append(records, self._now_ms())

    def fence(self, transactional_id: str) -> int:
        """Abort what the id has open, and cut off whoever used it; the new epoch."""
        producer = self._producers.setdefault(transactional_id, _Producer())
        if producer.transaction is not None:
            producer.transaction.end(Outcome.ABORTED)
            producer.transaction = None
        producer.epoch += 1
        return producer.epoch

    def send(
        self,
        transactional_id: str,
        epoch: int,
        topic: str,
        partition: int,
        records: list[OutputRecord],
    ) -> int:
        """Write within the id's transaction; the offset after the last record."""
        producer = self._producer(transactional_id, epoch)
        for key, value, headers in records:
            size = len(key or b"") + len(value or b"") + sum(len(v or b"") for _, v in headers)
            if size > self._max_bytes(topic):
                raise FootingLost(f"MessageSizeTooLarge: a record of {size} bytes to {topic}")
        if producer.transaction is None:
            producer.transaction = Transaction()
        log = self.log(topic, partition)
        return log.append(records, self._now_ms(), producer.transaction)

    def commit(
        self,
        transactional_id: str,
        epoch: int,
        group_id: str,
        stream: int,
        offset: Committed,
        queues: Mapping[str, int] = NO_QUEUES,
    ) -> None:
        """Commit the id's transaction, and input offsets with it."""
        producer = self._producer(transactional_id, epoch)
        if producer.transaction is not None:
            producer.transaction.end(Outcome.COMMITTED)
            producer.transaction = None
        self.offsets[group_id, stream] = offset
        self.queue_offsets.setdefault((group_id, stream), {}).update(queues)

    def abort(self, transactional_id: str, epoch: int) -> None:
        """Abort the id's transaction."""
        producer = self._producer(transactional_id, epoch)
        if producer.transaction is not None:
            producer.transaction.end(Outcome.ABORTED)
            producer.transaction = None

    def _producer(self, transactional_id: str, epoch: int) -> _Producer:
        producer = self._producers[transactional_id]
        if producer.epoch != epoch:
            raise FootingLost(f"ProducerFenced: {transactional_id} is at epoch {producer.epoch}")
        return producer

    def _max_bytes(self, topic: str) -> int:
        return DEAD_LETTER_MAX_BYTES if topic == self.topics.dead_letters else OUTPUT_MAX_BYTES

    def _now_ms(self) -> int:
        return self._clock.now_us() // 1000
