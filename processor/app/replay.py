"""Joining the parts that put dead letters back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from processor.app.connect import connection_of
from processor.app.read import Reading, failing_commands, reading_of
from processor.app.topics import check_topics, topics_of
from processor.kafka.cluster import open_cluster
from processor.kafka.replay_producer import ReplayProducer
from processor.reader.ports import Bounds
from processor.settings import Settings
from processor.task.ports import Partition
from processor.topic_rules import max_record_bytes


@dataclass(frozen=True, slots=True)
class Replaying:
    """All that putting dead letters back needs; nobody else puts any back meanwhile."""

    reading: Reading
    producer: ReplayProducer
    ends: dict[int, Bounds]
    max_record_bytes: int


@asynccontextmanager
async def open_replay(settings: Settings) -> AsyncIterator[Replaying]:
    """Begin to put dead letters back; whoever else does so is cut off.

    ``ends`` are the ends of ``orders.dead-letters``, open transactions included: who reads up to
    them has read every note there is.

    Raises:
        KafkaUnavailable: no broker answers, or it fails in the middle.
        UsageError: the topics are not as they must be.
    """
    topics = topics_of(settings)
    found = await check_topics(settings, topics)
    async with open_cluster(connection_of(settings, "replay"), topics.all) as cluster:
        with failing_commands(settings):
            reading = reading_of(settings, cluster, found)
            async with ReplayProducer.open(cluster, topics, reading.num_streams) as producer:
                letters = [
                    Partition(topics.dead_letters, stream) for stream in range(reading.num_streams)
                ]
                ends = {
                    where.partition: Bounds(one.begin, one.end)
                    for where, one in (await cluster.offsets(letters)).items()
                }
                yield Replaying(reading, producer, ends, max_record_bytes(found[topics.events]))
