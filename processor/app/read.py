"""Joining the parts of a reader."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import NoReturn

from processor.app.connect import connection_of
from processor.app.topics import check_topics, topics_of
from processor.core.orders.order import Order
from processor.core.sharding import stream_of
from processor.errors import KafkaUnavailable, OffsetGone, TaskLost, UsageError
from processor.kafka.cluster import Cluster, open_cluster
from processor.kafka.reader import KafkaLog
from processor.reader.follow import Audience, Place, follow
from processor.reader.live_watch import LiveWatch
from processor.reader.ports import Bounds, Log
from processor.settings import Settings
from processor.task.clock import SystemClock
from processor.topic_rules import TopicState, tombstone_retention_ms
from processor.topics import Topics


@dataclass(frozen=True, slots=True)
class Reading:
    """All that a reader of our topics needs."""

    log: Log
    topics: Topics
    num_streams: int
    max_snapshot_age_ms: int

    async def live_orders(
        self, *, stream: int | None = None, user: str | None = None
    ) -> list[tuple[int, Order]]:
        """The live orders as of now, with their streams, in the order they were placed."""
        found = await self.watch(stream=stream, user=user).read()
        return [pair for pair in found if user is None or pair[1].user_id == user]

    def watch(self, *, stream: int | None = None, user: str | None = None) -> LiveWatch:
        """The lists to be kept up to date: of all streams, of one, or of a user's."""
        return LiveWatch(
            self.log,
            self.topics,
            self._streams(stream, user),
            SystemClock(),
            max_snapshot_age_ms=self.max_snapshot_age_ms,
        )

    async def ends(self, topic: str) -> dict[int, Bounds]:
        """Where each partition of a topic begins and ends now."""
        return {stream: await self.log.bounds(topic, stream) for stream in range(self.num_streams)}

    async def follow(self, topic: str, offsets: dict[int, int], audience: Audience) -> NoReturn:
        """Tell of all committed records of a topic from some offsets on, for ever."""
        await follow(self.log, Place(topic, offsets), SystemClock(), audience)

    def _streams(self, stream: int | None, user: str | None) -> Iterable[int]:
        if stream is not None and not 0 <= stream < self.num_streams:
            raise UsageError(
                f"there is no stream {stream}: choose one of 0 to {self.num_streams - 1}"
            )
        theirs = range(self.num_streams) if user is None else (stream_of(user, self.num_streams),)
        return [one for one in theirs if stream in (None, one)]


@asynccontextmanager
async def open_log(settings: Settings) -> AsyncIterator[Reading]:
    """Open our topics for reading.

    Raises:
        KafkaUnavailable: no broker answers, or it fails in the middle.
        UsageError: the topics are not as they must be.
    """
    topics = topics_of(settings)
    found = await check_topics(settings, topics)
    async with open_cluster(connection_of(settings, "read"), topics.all) as cluster:
        with failing_commands(settings):
            yield reading_of(settings, cluster, found)


def reading_of(settings: Settings, cluster: Cluster, found: Mapping[str, TopicState]) -> Reading:
    """A reader of our topics over the connections of a process."""
    topics = topics_of(settings)
    return Reading(
        KafkaLog(cluster),
        topics,
        found[topics.events].partitions,
        # Later, tombstones of orders that it still has may be gone.
        tombstone_retention_ms(found[topics.live]) // 2,
    )


@contextmanager
def failing_commands(settings: Settings) -> Iterator[None]:
    """End a command when Kafka fails it: it does not wait for a broker to come back.

    Raises:
        KafkaUnavailable: Kafka failed.
    """
    try:
        yield
    except (TaskLost, OffsetGone) as error:
        raise KafkaUnavailable(
            f"Kafka at {settings.bootstrap_servers} failed while {error}; try again"
        ) from error
