"""Joining the parts of a processor."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from processor.app.connect import connection_of, new_id
from processor.app.topics import require_sound, topics_of
from processor.core.event_time.reorder import ReorderPolicy
from processor.core.orders.snapshot import SnapshotPolicy
from processor.kafka.broker import KafkaBroker
from processor.kafka.client import admin_client
from processor.kafka.cluster import open_cluster
from processor.kafka.errors import for_command
from processor.kafka.group import GroupSettings, KafkaGroup
from processor.kafka.topic_admin import describe_topics
from processor.kafka.transaction_requests import transaction_version
from processor.kafka.transactions_of_process import KafkaTransactions
from processor.settings import Settings
from processor.task.clock import SystemClock
from processor.task.committer import Committer, RoundSettings
from processor.task.context import TaskContext, TaskSettings
from processor.task.gate import Gate
from processor.task.hanging_watch import HangingWatch
from processor.task.identity import TaskIdentity
from processor.task.observer import Observer, SilentObserver
from processor.task.shortcut import Shortcuts
from processor.task.supervisor import Supervisor, SupervisorSettings
from processor.task.topic_watch import TopicWatch
from processor.topic_rules import TopicState, max_record_bytes

# Restores read from disk and decode: more at a time would only make each slower.
_RESTORING = 8


@asynccontextmanager
async def open_processor(
    settings: Settings, observer: Observer | None = None
) -> AsyncIterator[Supervisor]:
    """A processor that is ready to run, on topics that can keep the promises.

    Raises:
        KafkaUnavailable: no broker answers.
        UsageError: the topics are not as they must be.
    """
    connection, topics = connection_of(settings, "run"), topics_of(settings)
    async with admin_client(connection) as admin:
        with for_command(settings.bootstrap_servers):
            found = await describe_topics(admin, topics)
    require_sound(settings, topics, found)
    async with open_cluster(connection, topics.all) as cluster:
        with for_command(settings.bootstrap_servers):
            version = await transaction_version(cluster.client)
        broker = KafkaBroker(cluster, version, group_id=settings.app_id, topics=topics)
        clock = SystemClock()
        committer = Committer(
            KafkaTransactions(
                cluster,
                f"{settings.app_id}:{topics.prefix}:{new_id()}",
                version,
                group_id=settings.app_id,
                timeout_ms=settings.transaction_timeout_ms,
            ),
            clock,
            topics,
            RoundSettings(
                max_events=settings.max_batch_events, min_interval_ms=settings.commit_interval_ms
            ),
        )
        num_streams = found[topics.events].partitions
        shortcuts = Shortcuts(num_streams, topics, committer.is_queued, clock)
        committer.on_written = shortcuts.written
        group = KafkaGroup(
            connection,
            cluster,
            group_id=settings.app_id,
            events_topic=topics.events,
            settings=GroupSettings(
                session_timeout_ms=settings.session_timeout_ms,
                heartbeat_interval_ms=settings.heartbeat_interval_ms,
                rebalance_timeout_ms=settings.rebalance_timeout_ms,
            ),
        )
        task_settings = _task_settings(settings, found[topics.dead_letters])
        restoring = asyncio.Semaphore(_RESTORING)

        def make_context(stream: int, gate: Gate) -> TaskContext:
            return TaskContext(
                TaskIdentity(
                    stream, num_streams, topics, settings.app_id, settings.accept_lost_events
                ),
                task_settings,
                broker,
                committer,
                shortcuts,
                group.is_member,
                restoring,
                gate,
                clock,
                new_id,
                observer or SilentObserver(),
            )

        _calm_the_collector()
        yield Supervisor(
            group,
            committer,
            shortcuts,
            TopicWatch(broker, clock),
            HangingWatch(broker, group.is_member, committer, topics, clock),
            make_context,
            num_streams,
            SupervisorSettings(suspend_timeout_ms=settings.rebalance_timeout_ms // 2),
        )


def _task_settings(settings: Settings, dead_letters: TopicState) -> TaskSettings:
    return TaskSettings(
        max_event_bytes=settings.max_event_bytes,
        max_dead_letter_bytes=max_record_bytes(dead_letters),
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
    """Keep the collector from walking through orders that live long and hold no cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 50, 100)
