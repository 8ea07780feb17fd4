"""Joining the parts of a producer of events."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from processor.app.connect import connection_of
from processor.app.topics import check_topics
from processor.kafka.event_producer import EventProducer
from processor.settings import Settings
from processor.topics import Topics


class EventSink(Protocol):
    """Sends events to ``orders.events``.

    All methods raise `KafkaUnavailable` when no broker takes them.
    """

    acknowledged: int
    """How many events the broker has acknowledged."""

    async def send(self, key: str, value: bytes) -> None:
        """Queue one event; returns before it is acknowledged."""

    async def push(self) -> None:
        """Hand over what is queued; returns before it is acknowledged."""

    async def flush(self) -> None:
        """Wait until everything queued is acknowledged."""


@asynccontextmanager
async def open_event_producer(settings: Settings) -> AsyncIterator[EventSink]:
    """A producer of events to a topic that exists.

    Raises:
        KafkaUnavailable: no broker answers.
        UsageError: the topics are not as they must be.
    """
    topics = Topics(settings.topic_prefix)
    found = await check_topics(settings, topics)
    topic = topics.events
    async with EventProducer(
        connection_of(settings, "produce"), topic, found[topic].partitions
    ) as producer:
        yield producer
