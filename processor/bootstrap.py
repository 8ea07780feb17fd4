"""The one place where the parts are joined."""

import gc
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import NoReturn

from processor.core.order import Order
from processor.core.reorder import ReorderPolicy
from processor.core.sharding import stream_of
from processor.core.snapshot import SnapshotPolicy
from processor.errors import FootingLost, KafkaUnavailable, OffsetGone, UsageError
from processor.kafka.broker import KafkaBroker, KafkaLog
from processor.kafka.client import admin_client, offsets_client
from processor.kafka.connection import Connection
from processor.kafka.errors import for_command
from processor.kafka.event_producer import EventProducer
from processor.kafka.group import GroupSettings, KafkaGroup
from processor.kafka.group_removal import delete_group
from processor.kafka.replay_producer import ReplayProducer
from processor.kafka.topic_admin import (
    create_topics,
    default_replication_factor,
    delete_topics,
    describe_topics,
    wait_for_topics,
)
from processor.runtime.clock import SystemClock
from processor.runtime.context import TaskContext, TaskSettings
from processor.runtime.follow import Audience, Place, follow
from processor.runtime.gate import Gate
from processor.runtime.live_watch import LiveWatch
from processor.runtime.observer import Observer, SilentObserver
from processor.runtime.plan import RestorePlan
from processor.runtime.ports import Bounds, Log
from processor.runtime.supervisor import Supervisor, SupervisorSettings
from processor.settings import Settings
from processor.topic_rules import (
    TopicState,
    max_record_bytes,
    problems,
    specs,
    tombstone_retention_ms,
)
from processor.topics import Topics


def connection_of(settings: Settings, role: str) -> Connection:
    """How to connect; the client id is ours alone, for it tells group members apart."""
    return Connection(
        settings.bootstrap_servers,
        client_id=f"{settings.app_id}-{role}-{uuid.uuid4().hex[:12]}",
        request_timeout_ms=settings.request_timeout_ms,
        connect_timeout_ms=settings.connect_timeout_ms,
    )


def new_id() -> str:
    """A name that was never used before."""
    return uuid.uuid4().hex


@asynccontextmanager
async def open_processor(
    settings: Settings, observer: Observer | None = None
) -> AsyncIterator[Supervisor]:
    """A processor that is ready to run, on topics that can keep the promises.

    Raises:
        KafkaUnavailable: no broker answers.
        UsageError: the topics are not as they must be.
    """
    connection = connection_of(settings, "run")
    topics = topics_of(settings)
    async with (
        admin_client(connection) as admin,
        offsets_client(connection) as offsets,
        offsets_client(connection, "read_uncommitted") as open_offsets,
    ):
        with for_command(settings.bootstrap_servers):
            found = await describe_topics(admin, topics)
        require_sound(settings, topics, found)
        broker = KafkaBroker(
            connection,
            offsets,
            open_offsets,
            admin,
            group_id=settings.app_id,
            topics=topics,
            transaction_timeout_ms=settings.transaction_timeout_ms,
        )
        group = KafkaGroup(
            connection,
            admin,
            group_id=settings.app_id,
            events_topic=topics.events,
            settings=GroupSettings(
                session_timeout_ms=settings.session_timeout_ms,
                heartbeat_interval_ms=settings.heartbeat_interval_ms,
                rebalance_timeout_ms=settings.rebalance_timeout_ms,
            ),
        )
        num_streams = found[topics.events].partitions
        task_settings = _task_settings(settings, found[topics.dead_letters])
        watching = observer or SilentObserver()

        def make_context(stream: int, gate: Gate) -> TaskContext:
            return TaskContext(
                RestorePlan(
                    stream,
                    num_streams,
                    topics,
                    settings.app_id,
                    settings.accept_lost_events,
                ),
                task_settings,
                broker,
                gate,
                SystemClock(),
                new_id,
                watching,
            )

        _calm_the_collector()
        async with broker.watching_leaders():
            yield Supervisor(
                group,
                make_context,
                num_streams,
                SupervisorSettings(suspend_timeout_ms=settings.rebalance_timeout_ms // 2),
            )


def _task_settings(settings: Settings, dead_letters: TopicState) -> TaskSettings:
    return TaskSettings(
        commit_interval_ms=settings.commit_interval_ms,
        max_batch_events=settings.max_batch_events,
        max_event_bytes=settings.max_event_bytes,
        max_dead_letter_bytes=max_record_bytes(dead_letters),
        offset_refresh_interval_ms=settings.offset_refresh_interval_ms,
        routing_grace_ms=settings.routing_grace_ms,
        dedupe_events=settings.dedupe_events,
        reorder=ReorderPolicy(
            window_ms=settings.reorder_window_ms,
            idle_ms=settings.reorder_idle_ms,
            late_events=settings.late_events,
            max_future_ms=settings.max_future_ms,
            max_events=settings.reorder_max_events,
        ),
        snapshots=SnapshotPolicy(
            interval_ms=settings.snapshot_interval_ms, max_age_ms=settings.snapshot_max_age_ms
        ),
    )


def _calm_the_collector() -> None:
    """Orders live long and hold no cycles: walking through all of them again and again is waste."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 50, 100)


def topics_of(settings: Settings) -> Topics:
    """The topics of a processor with these settings."""
    return Topics(settings.topic_prefix, settings.directory_on)


def require_sound(settings: Settings, topics: Topics, found: dict[str, TopicState]) -> None:
    """Refuse topics that cannot keep the promises.

    Raises:
        UsageError: with every problem and its remedy.
    """
    said = problems(topics, found, snapshot_max_age_ms=settings.snapshot_max_age_ms)
    if said:
        raise UsageError("\n".join(said))


async def check_topics(settings: Settings, topics: Topics) -> dict[str, TopicState]:
    """The topics, when they are as they must be.

    Raises:
        KafkaUnavailable: no broker answers.
        UsageError: they are not.
    """
    connection = connection_of(settings, "topics")
    async with admin_client(connection) as admin:
        with for_command(settings.bootstrap_servers):
            found = await describe_topics(admin, topics)
    require_sound(settings, topics, found)
    return found


async def make_topics(
    settings: Settings, num_streams: int, replication_factor: int | None
) -> list[str]:
    """Create the topics that are missing, and check all of them.

    Returns:
        The names of those that were created.

    Raises:
        KafkaUnavailable: no broker answers.
        UsageError: the broker refuses one, or one that exists is not as it must be.
    """
    topics = topics_of(settings)
    connection = connection_of(settings, "topics")
    async with admin_client(connection) as admin:
        with for_command(settings.bootstrap_servers):
            found = await describe_topics(admin, topics)
            wrong = [one for one in found.values() if one.partitions != num_streams]
            if wrong:
                raise UsageError(
                    f"{wrong[0].name} has {wrong[0].partitions} partitions already, not "
                    f"{num_streams}: use --streams {wrong[0].partitions}, or another --topic-prefix"
                )
            factor = replication_factor or await default_replication_factor(admin)
            missing = [s for s in specs(topics, num_streams, factor) if s.name not in found]
            if missing:
                await create_topics(admin, missing)
            found = await wait_for_topics(admin, topics)
    require_sound(settings, topics, found)
    return [spec.name for spec in missing]


async def remove_all(settings: Settings) -> None:
    """Delete the group, and those of the topics that are there, with all that is in them.

    Raises:
        KafkaUnavailable: no broker answers, or it refuses.
    """
    topics = Topics(settings.topic_prefix, directory_on=True)
    async with admin_client(connection_of(settings, "topics")) as admin:
        with for_command(settings.bootstrap_servers):
            await delete_topics(admin, list(await describe_topics(admin, topics)))
            await delete_group(admin, settings.app_id)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader of our topics needs."""

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
    """What there is to read in our topics.

    Raises:
        KafkaUnavailable: no broker answers, or it fails in the middle.
        UsageError: the topics are not as they must be.
    """
    found = await check_topics(settings, Topics(settings.topic_prefix))
    async with _reading(settings, found) as reading:
        yield reading


@asynccontextmanager
async def _reading(settings: Settings, found: dict[str, TopicState]) -> AsyncIterator[Reading]:
    topics = Topics(settings.topic_prefix)
    connection = connection_of(settings, "read")
    async with offsets_client(connection) as offsets:
        try:
            yield Reading(
                KafkaLog(connection, offsets),
                topics,
                found[topics.events].partitions,
                # Later, tombstones of orders that it still has may be gone.
                tombstone_retention_ms(found[topics.live]) // 2,
            )
        except (FootingLost, OffsetGone) as error:
            raise KafkaUnavailable(
                f"Kafka at {settings.bootstrap_servers} failed while {error}; try again"
            ) from error


@dataclass(frozen=True, slots=True)
class Replaying:
    """What putting dead letters back needs; nobody else puts any back meanwhile."""

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
    found = await check_topics(settings, Topics(settings.topic_prefix))
    connection = connection_of(settings, "replay")
    async with (
        _reading(settings, found) as reading,
        admin_client(connection) as admin,
        offsets_client(connection, "read_uncommitted") as open_offsets,
        ReplayProducer.open(connection, admin, open_offsets, reading.topics) as producer,
    ):
        ends = await replace(reading, log=KafkaLog(connection, open_offsets)).ends(
            reading.topics.dead_letters
        )
        yield Replaying(reading, producer, ends, max_record_bytes(found[reading.topics.events]))


@asynccontextmanager
async def open_event_producer(settings: Settings) -> AsyncIterator[EventProducer]:
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
