"""Putting dead letters back: each batch of events in one transaction with the notes of it."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from processor.errors import CutOff, KafkaUnavailable, TaskLost
from processor.kafka.cluster import Cluster
from processor.kafka.record_batch import RecordBatch
from processor.kafka.transaction_requests import transaction_version
from processor.kafka.transactions.round import BaseOffsets, FollowUp, Round
from processor.kafka.transactions.values import TopicPartition
from processor.kafka.transactions_of_process import KafkaTransactions, batches_of
from processor.task.ports import Partition
from processor.topics import Topics
from processor.wire.record import Record
from processor.wire.replay import Position, PutBack, replay_note

# Short: a transaction that a killed process leaves open holds up every reader of its partitions.
TRANSACTION_TIMEOUT_MS: Final = 10_000


def replay_transactional_id(topics: Topics) -> str:
    """One for all who replay letters of these topics, whatever their settings: the next cuts off
    the last."""
    return f"live-orders:{topics.prefix}:replay"


class ReplayProducer:
    """A producer that puts dead letters back.

    Raises:
        KafkaUnavailable: no broker answers, one refuses, or another replay has begun meanwhile.
    """

    def __init__(self, cluster: Cluster, transactions: KafkaTransactions, topics: Topics) -> None:
        self._cluster = cluster
        self._transactions = transactions
        self._topics = topics

    @classmethod
    @asynccontextmanager
    async def open(
        cls, cluster: Cluster, topics: Topics, num_streams: int
    ) -> "AsyncIterator[ReplayProducer]":
        """End and cut off any other one for these topics, and be one for as long as the block runs.

        What was put back before that is committed by then, or never will be: so whoever reads the
        notes afterwards knows of all.
        """
        transactions = KafkaTransactions(
            cluster,
            replay_transactional_id(topics),
            await transaction_version(cluster.client),
            group_id=None,
            timeout_ms=TRANSACTION_TIMEOUT_MS,
        )
        written = [
            Partition(topic, stream)
            for topic in (topics.events, topics.dead_letters)
            for stream in range(num_streams)
        ]
        try:
            async with asyncio.timeout(2 * TRANSACTION_TIMEOUT_MS / 1000):
                await transactions.acquire(written)
            yield cls(cluster, transactions, topics)
        finally:
            await transactions.close()

    async def put_back(self, batch: Sequence[PutBack]) -> list[Position]:
        """Write events and their notes, all or none; where the events stand, in the same order."""
        events: defaultdict[TopicPartition, list[PutBack]] = defaultdict(list)
        for one in batch:
            events[TopicPartition(self._topics.events, one.partition)].append(one)
        batches = {
            where: batches_of([one.record for one in some]) for where, some in events.items()
        }
        notes = {TopicPartition(self._topics.dead_letters, one.letter.partition) for one in batch}
        places: dict[Position, Position] = {}

        def write_notes(
            base_offsets: BaseOffsets,
        ) -> Mapping[TopicPartition, Sequence[RecordBatch]]:
            for where, some in events.items():
                offsets = _offsets(batches[where], base_offsets[where])
                for one, offset in zip(some, offsets, strict=True):
                    places[one.letter] = Position(where.partition, offset)
            return self._notes(places)

        work = Round(batches, follow_up=FollowUp(tuple(notes), write_notes))
        try:
            async with asyncio.timeout(TRANSACTION_TIMEOUT_MS / 1000):
                await self._transactions.write(work)
        except (TaskLost, KafkaUnavailable, TimeoutError) as error:
            raise KafkaUnavailable(
                f"{_why(error)}; what is not named above may or may not be put back: run the same "
                "again, it leaves out what was"
            ) from error
        return [places[one.letter] for one in batch]

    def _notes(
        self, places: Mapping[Position, Position]
    ) -> dict[TopicPartition, Sequence[RecordBatch]]:
        """A note for each letter, in the letter's partition."""
        records: defaultdict[int, list[Record]] = defaultdict(list)
        for letter, place in places.items():
            records[letter.partition].append((None, None, replay_note(letter, place)))
        return {
            TopicPartition(self._topics.dead_letters, partition): batches_of(some)
            for partition, some in records.items()
        }


def _why(error: Exception) -> str:
    if isinstance(error, CutOff):
        return "another replay of these topics has begun, and cut this one off"
    return str(error) or "Kafka did not answer in time"


def _offsets(batches: Sequence[RecordBatch], base_offsets: Sequence[int]) -> Iterator[int]:
    """Where the records of a partition's batches stand; -1 where that is not known."""
    for batch, base in zip(batches, base_offsets, strict=True):
        for number in range(batch.records):
            yield base + number if base >= 0 else -1
