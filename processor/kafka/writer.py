"""Writing one stream's output, transaction by transaction."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import IllegalOperation, KafkaError, MessageSizeTooLargeError
from aiokafka.producer.transaction_manager import TransactionState
from aiokafka.structs import OffsetAndMetadata

from processor.errors import FootingLost
from processor.kafka.batch import BulkBatch
from processor.kafka.connection import Connection
from processor.kafka.errors import for_task
from processor.kafka.leaders import Leaders
from processor.kafka.markers import Markers
from processor.kafka.missing import require_topics
from processor.kafka.take_over import BATCH_BYTES, take_over
from processor.kafka.unheard import expect_failures, hear, hear_out
from processor.runtime.ports import NO_QUEUES, OutputRecord
from processor.topics import Topics

_log = logging.getLogger(__name__)

# aiokafka wraps sequence numbers wrongly after 2^31 records.
_MAX_RECORDS = 2**30
# Of each step of closing; with a broker that answers it takes milliseconds.
_CLOSE_TIMEOUT_S = 0.7
_ABORTABLE: Final = (TransactionState.IN_TRANSACTION, TransactionState.ABORTABLE_ERROR)
# When somebody should hear of a commit that does not end.
_SLOW_COMMIT_S = 5

_STOPPING: Final[set["asyncio.Future[None]"]] = set()
"""Producers that could not be closed in time: something must hold on to them."""


def transactional_id(group_id: str, topics: Topics, stream: int) -> str:
    """Whose epoch tells owners of a stream apart.

    Colons are in no name: no two apps or prefixes can come to the same id.
    """
    return f"{group_id}:{topics.prefix}:{stream}"


class KafkaStreamWriter:
    """A `StreamWriter` on an aiokafka transactional producer."""

    def __init__(
        self,
        producer: AIOKafkaProducer,
        markers: Markers,
        *,
        stream: int,
        group_id: str,
        topics: Topics,
        commit_timeout_ms: int,
    ) -> None:
        self._producer = producer
        self._markers = markers
        self._stream = stream
        self._group_id = group_id
        self._topics = topics
        self._commit_timeout_s = commit_timeout_ms / 1000
        self._open: dict[tuple[str, int], BulkBatch] = {}
        self._full: list[tuple[tuple[str, int], BulkBatch]] = []
        self._records = 0
        self._live_end = 0

    @classmethod
    async def open(
        cls,
        connection: Connection,
        admin: AIOKafkaAdminClient,
        open_offsets: AIOKafkaConsumer,
        leaders: Leaders,
        *,
        stream: int,
        group_id: str,
        topics: Topics,
        transaction_timeout_ms: int,
    ) -> "KafkaStreamWriter":
        """Fence off whoever wrote this stream before, and take over.

        Returns only after the previous owner's transaction is completely committed or aborted.

        Raises:
            FootingLost: the broker cannot be reached in time.
        """
        with for_task(f"fencing stream {stream}"):
            async with asyncio.timeout(transaction_timeout_ms / 1000):
                producer, markers = await take_over(
                    connection,
                    admin,
                    open_offsets,
                    leaders,
                    transactional_id=transactional_id(group_id, topics, stream),
                    transaction_timeout_ms=transaction_timeout_ms,
                    group_id=group_id,
                    partitions=partial(_written_by, topics=topics, stream=stream),
                )
        writer = cls(
            producer,
            markers,
            stream=stream,
            group_id=group_id,
            topics=topics,
            commit_timeout_ms=transaction_timeout_ms,
        )
        try:
            with for_task(f"fencing stream {stream}"):
                async with asyncio.timeout(writer._commit_timeout_s):
                    await producer.start()
                    expect_failures(producer)
                    await require_topics(producer, topics)
                    # Known before the first transaction: it need not wait for metadata then.
                    for topic in (*topics.outputs, *topics.queues):
                        await producer.partitions_for(topic)
        except BaseException:
            await writer.close()
            raise
        return writer

    async def settle(self) -> None:
        """Part of `StreamWriter`."""
        with for_task(f"settling the partitions of stream {self._stream}"):
            async with asyncio.timeout(self._commit_timeout_s):
                await self._markers.settle()

    @property
    def in_doubt(self) -> bool:
        """Part of `StreamWriter`."""
        return self._markers.in_doubt

    async def begin(self) -> None:
        """Part of `StreamWriter`: nothing is sent before the commit, so it begins there."""
        if self._records > _MAX_RECORDS:
            raise FootingLost("the producer has used up its sequence numbers")

    def write(
        self, topic: str, records: Sequence[OutputRecord], partition: int | None = None
    ) -> int:
        """Part of `StreamWriter`."""
        where = topic, self._stream if partition is None else partition
        batch = self._open.get(where)
        written_bytes = 0 if batch is None else -batch.size_bytes
        at = 0
        while at < len(records):
            if batch is None:
                batch = self._open[where] = BulkBatch(BATCH_BYTES)
            at = batch.extend(records, at)
            if at < len(records):
                written_bytes += batch.size_bytes
                self._full.append((where, batch))
                batch = None
        return written_bytes if batch is None else written_bytes + batch.size_bytes

    async def commit(
        self, offset: int, metadata: str, queues: Mapping[str, int] = NO_QUEUES
    ) -> int:
        """Part of `StreamWriter`."""
        committing = asyncio.ensure_future(self._commit(self._offsets(offset, metadata, queues)))
        try:
            done, _ = await asyncio.wait([committing], timeout=_SLOW_COMMIT_S)
            if not done:
                await self._look_into_it()
            return await committing
        finally:
            if not committing.done():
                committing.cancel()
                await asyncio.wait([committing])
            elif not committing.cancelled():
                committing.exception()  # heard, also when there is something better to say

    async def _look_into_it(self) -> None:
        """Find out why a commit does not end.

        Raises:
            FootingLost: a topic is gone, so it never would.
        """
        with suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(_SLOW_COMMIT_S):
                await require_topics(self._producer, self._topics)
        _log.warning(
            "stream %d: no answer to a commit for %d s; waiting up to %d s for the broker",
            self._stream,
            _SLOW_COMMIT_S,
            self._commit_timeout_s,
        )

    def _offsets(
        self, offset: int, metadata: str, queues: Mapping[str, int]
    ) -> dict[TopicPartition, OffsetAndMetadata]:
        events = TopicPartition(self._topics.events, self._stream)
        return {events: OffsetAndMetadata(offset, metadata)} | {
            TopicPartition(topic, self._stream): OffsetAndMetadata(next_offset, "")
            for topic, next_offset in queues.items()
        }

    async def _commit(self, offsets: dict[TopicPartition, OffsetAndMetadata]) -> int:
        with for_task(f"committing a transaction of stream {self._stream}"):
            async with asyncio.timeout(self._commit_timeout_s):
                await self._markers.begin(self._written_to())
                sends = await self._send_all()
                await asyncio.gather(
                    self._producer.send_offsets_to_transaction(offsets, self._group_id),
                    *(_taken(topic, future) for topic, _, future in sends),
                )
                for topic, count, future in sends:
                    if topic == self._topics.live:
                        self._live_end = future.result().offset + count
                await self._producer.commit_transaction()
        return self._live_end

    def _written_to(self) -> list[TopicPartition]:
        """The partitions that this transaction writes to."""
        full = {where for where, _ in self._full}
        return [TopicPartition(*where) for where in full.union(self._open)]

    async def _send_all(self) -> list[tuple[str, int, "asyncio.Future[Any]"]]:
        batches = [*self._full, *self._open.items()]
        self._full.clear()
        self._open.clear()
        sends = []
        for (topic, partition), batch in batches:
            count = batch.records
            self._records += count
            future = await self._producer.send_batch(batch, topic, partition=partition)
            hear(future)  # also if the next one cannot be sent
            sends.append((topic, count, future))
        return sends

    async def close(self) -> None:
        """Part of `StreamWriter`."""
        hear_out(self._producer)
        if self._producer._txn_manager.state in _ABORTABLE:
            try:
                async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                    await self._producer.abort_transaction()
            except (KafkaError, IllegalOperation, OSError, TimeoutError, AssertionError) as error:
                # The next owner's fencing, or the transaction's timeout, aborts it.
                _log.debug("stream %d: aborting: %r", self._stream, error)
        await self._stop_producer()

    async def _stop_producer(self) -> None:
        stopping = asyncio.ensure_future(self._producer.stop())
        done, _ = await asyncio.wait([stopping], timeout=_CLOSE_TIMEOUT_S)
        if done:
            self._stopped(stopping)
        else:
            # stop() flushes, and a batch of an idempotent producer never expires. It ends when
            # the broker is back, at the latest when the next owner's fencing cuts it off. Until
            # then it may even finish a commit whose outcome was unknown to us: the next owner's
            # fencing waits for that, and asks for the committed offset only afterwards.
            _STOPPING.add(stopping)
            stopping.add_done_callback(_STOPPING.discard)
            stopping.add_done_callback(self._stopped)

    def _stopped(self, stopping: "asyncio.Future[None]") -> None:
        hear_out(self._producer)
        if not stopping.cancelled() and (error := stopping.exception()) is not None:
            _log.debug("stream %d: closing the producer: %r", self._stream, error)


async def _written_by(
    producer: AIOKafkaProducer, topics: Topics, stream: int
) -> list[TopicPartition]:
    """All partitions that a stream's owner may write to: its own, and the queues of all shards."""
    return [TopicPartition(topic, stream) for topic in topics.outputs] + [
        TopicPartition(topic, partition)
        for topic in topics.queues
        for partition in await producer.partitions_for(topic)
    ]


async def _taken(topic: str, sent: "asyncio.Future[Any]") -> None:
    """Wait until the broker has taken a batch.

    Raises:
        FootingLost: the topic does not allow batches of that size any more, and what to do.
    """
    try:
        await sent
    except MessageSizeTooLargeError as error:
        raise FootingLost(
            f"{topic} refuses what is written to it, as its max.message.bytes is too small: "
            "live-orders topics check says how to set it"
        ) from error
