"""Putting dead letters back: each batch of events in one transaction with the notes of it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import IllegalOperation, InvalidProducerEpoch, KafkaError, ProducerFenced

from processor.core.replay import PutBack
from processor.errors import KafkaUnavailable
from processor.kafka.batch import BulkBatch
from processor.kafka.connection import Connection
from processor.kafka.errors import for_command
from processor.kafka.leaders import Leaders
from processor.kafka.markers import Markers
from processor.kafka.take_over import BATCH_BYTES, take_over
from processor.kafka.unheard import hear_out
from processor.runtime.ports import OutputRecord
from processor.topics import Topics
from schemas.replay import Position, replay_note

_log = logging.getLogger(__name__)

# Short, for who is killed in the middle leaves a transaction open, which holds up every reader of
# the partitions that it wrote to.
TRANSACTION_TIMEOUT_MS: Final = 10_000
_CLOSE_TIMEOUT_S = 1.5


def replay_transactional_id(topics: Topics) -> str:
    """One for all who replay letters of these topics, whatever their settings: the next cuts off
    the last."""
    return f"live-orders:{topics.prefix}:replay"


class ReplayProducer:
    """A producer that puts dead letters back.

    Raises:
        KafkaUnavailable: no broker answers, one refuses, or another replay has begun meanwhile.
    """

    def __init__(
        self, producer: AIOKafkaProducer, markers: Markers, *, servers: str, topics: Topics
    ) -> None:
        self._producer = producer
        self._markers = markers
        self._servers = servers
        self._topics = topics
        self._in_transaction = False

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        connection: Connection,
        admin: AIOKafkaAdminClient,
        open_offsets: AIOKafkaConsumer,
        topics: Topics,
    ) -> "AsyncIterator[ReplayProducer]":
        """End and cut off any other one for these topics, and be one for as long as the block runs.

        What was put back before that is committed by then, or never will be: so whoever reads the
        notes afterwards knows of all.
        """
        servers = connection.bootstrap_servers
        with for_command(servers):
            async with asyncio.timeout(2 * TRANSACTION_TIMEOUT_MS / 1000):
                producer, markers = await take_over(
                    connection,
                    admin,
                    open_offsets,
                    Leaders(admin, topics),
                    transactional_id=replay_transactional_id(topics),
                    transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
                    group_id=None,
                    partitions=partial(_written_by, topics=topics),
                )
        opened = cls(producer, markers, servers=servers, topics=topics)
        try:
            with for_command(servers):
                async with asyncio.timeout(2 * TRANSACTION_TIMEOUT_MS / 1000):
                    await producer.start()
                    await markers.settle()
            yield opened
        finally:
            await opened._close()

    async def put_back(self, batch: Sequence[PutBack]) -> list[Position]:
        """Write events and their notes, all or none; where the events stand, in the same order."""
        try:
            with for_command(self._servers):
                async with asyncio.timeout(TRANSACTION_TIMEOUT_MS / 1000):
                    await self._markers.begin(self._written_to(batch))
                    self._in_transaction = True
                    places = await self._write(
                        self._topics.events, [(one.partition, one.record) for one in batch]
                    )
                    await self._write(self._topics.dead_letters, _notes(batch, places))
                    await self._producer.commit_transaction()
                    self._in_transaction = False
        except (KafkaUnavailable, IllegalOperation, AssertionError) as error:
            raise KafkaUnavailable(self._sentence(error)) from error
        return places

    def _sentence(self, error: Exception) -> str:
        cause = error.__cause__
        if isinstance(cause, ProducerFenced | InvalidProducerEpoch):
            why = "another replay of these topics has begun, and cut this one off"
        else:
            why = str(error) or f"Kafka at {self._servers} failed"
        return (
            f"{why}; what is not named above may or may not be put back: run the same again, it "
            "leaves out what was"
        )

    def _written_to(self, batch: Sequence[PutBack]) -> list[TopicPartition]:
        events = {TopicPartition(self._topics.events, one.partition) for one in batch}
        notes = {TopicPartition(self._topics.dead_letters, one.letter.partition) for one in batch}
        return [*events, *notes]

    async def _write(
        self, topic: str, records: Iterable[tuple[int, OutputRecord]]
    ) -> list[Position]:
        """Write records, each to its partition; where they stand, in the same order."""
        by_partition: dict[int, list[tuple[int, OutputRecord]]] = {}
        count = 0
        for index, (partition, record) in enumerate(records):
            by_partition.setdefault(partition, []).append((index, record))
            count += 1
        sends: list[tuple[int, list[int], asyncio.Future[Any]]] = []
        for partition, numbered in by_partition.items():
            begin = 0
            contents = [record for _, record in numbered]
            while begin < len(contents):
                batch = BulkBatch(BATCH_BYTES)
                end = batch.extend(contents, begin)
                future = await self._producer.send_batch(batch, topic, partition=partition)
                sends.append((partition, [index for index, _ in numbered[begin:end]], future))
                begin = end
        await asyncio.gather(*(future for _, _, future in sends))
        places = [Position(-1, -1)] * count
        for partition, indexes, future in sends:
            for number, index in enumerate(indexes):
                places[index] = Position(partition, future.result().offset + number)
        return places

    async def _close(self) -> None:
        """Abort what is open and stop, within a bound."""
        if self._in_transaction:
            try:
                async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                    await self._producer.abort_transaction()
            except (KafkaError, IllegalOperation, OSError, TimeoutError, AssertionError) as error:
                _log.debug("aborting a replay: %r", error)
        stopping = asyncio.ensure_future(self._producer.stop())
        done, _ = await asyncio.wait([stopping], timeout=_CLOSE_TIMEOUT_S)
        hear_out(self._producer)
        if not done:
            stopping.cancel()
        elif not stopping.cancelled() and (failure := stopping.exception()) is not None:
            _log.debug("stopping a replay: %r", failure)


async def _written_by(producer: AIOKafkaProducer, topics: Topics) -> list[TopicPartition]:
    """All partitions that events and notes of them can come to."""
    return [
        TopicPartition(topic, partition)
        for topic in (topics.events, topics.dead_letters)
        for partition in await producer.partitions_for(topic)
    ]


def _notes(batch: Sequence[PutBack], places: Sequence[Position]) -> list[tuple[int, OutputRecord]]:
    """A note for each, in its letter's partition."""
    return [
        (one.letter.partition, (None, None, replay_note(one.letter, place)))
        for one, place in zip(batch, places, strict=True)
    ]
