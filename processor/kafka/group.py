"""Membership in the consumer group, and nothing else: this consumer never reads a record."""

import asyncio
import logging
from collections.abc import Awaitable, Collection
from contextlib import suppress
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.client import CoordinationType
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    KafkaError,
    NotCoordinatorError,
    RebalanceInProgressError,
)
from aiokafka.protocol.group import HeartbeatRequest

from processor.errors import KafkaUnavailable
from processor.kafka.cluster import Cluster
from processor.kafka.connection import Connection
from processor.kafka.consumer import stop_consumer
from processor.kafka.errors import REFUSALS, describe
from processor.kafka.internals import membership_of
from processor.task.ports import GroupListener, Membership

_log = logging.getLogger(__name__)

_POLL_TIMEOUT_MS = 500
_RESTART_DELAY_S = 1.0
# While the group rebalances, its last generation is still the current one.
_CURRENT = (0, RebalanceInProgressError.errno)
_COORDINATOR_MOVED = (
    CoordinatorLoadInProgressError.errno,
    CoordinatorNotAvailableError.errno,
    NotCoordinatorError.errno,
)


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """The group's clocks.

    How often the members look for new partitions of the topic is not left to aiokafka, whose five
    minutes are a long time for producers to write where nobody reads.
    """

    session_timeout_ms: int = 10_000
    heartbeat_interval_ms: int = 1_000
    rebalance_timeout_ms: int = 15_000
    partition_check_interval_ms: int = 20_000


class KafkaGroup:
    """A `Group` on an aiokafka consumer whose partitions are all paused.

    Reading is done by the process's fetcher: a restore or a slow task holds up no heartbeats.
    """

    def __init__(
        self,
        connection: Connection,
        cluster: Cluster,
        *,
        group_id: str,
        events_topic: str,
        settings: GroupSettings,
    ) -> None:
        self._connection = connection
        self._cluster = cluster
        self._group_id = group_id
        self._topic = events_topic
        self._settings = settings
        self._complaint = ""

    async def run(self, listener: GroupListener, stop: Awaitable[object]) -> None:
        """Part of `Group`.

        Raises:
            KafkaUnavailable: the broker refuses us.
        """
        stopping = asyncio.ensure_future(stop)
        try:
            while not stopping.done():
                try:
                    await self._be_a_member(listener, stopping)
                except REFUSALS as error:
                    raise KafkaUnavailable(
                        f"Kafka refuses group {self._group_id}: {describe(error)}"
                    ) from error
                except (KafkaError, OSError) as error:
                    _log.warning("group %s: %s; joining again", self._group_id, describe(error))
                    await listener.on_revoked()
                    await asyncio.wait([stopping], timeout=_RESTART_DELAY_S)
        finally:
            stopping.cancel()

    async def _be_a_member(
        self, listener: GroupListener, stopping: "asyncio.Future[object]"
    ) -> None:
        consumer = AIOKafkaConsumer(
            **self._connection.options(),
            group_id=self._group_id,
            # On by default, and would write old offsets over those of the transactions.
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=self._settings.session_timeout_ms,
            heartbeat_interval_ms=self._settings.heartbeat_interval_ms,
            rebalance_timeout_ms=self._settings.rebalance_timeout_ms,
            metadata_max_age_ms=self._settings.partition_check_interval_ms,
            partition_assignment_strategy=(_own_sticky_assignor(),),
        )
        consumer.subscribe([self._topic], listener=_Pausing(consumer, listener))
        starting = asyncio.ensure_future(consumer.start())
        try:
            await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                while not stopping.done():
                    # Returns nothing, but raises what went wrong in the background.
                    await consumer.getmany(timeout_ms=_POLL_TIMEOUT_MS)
        finally:
            starting.cancel()
            with suppress(asyncio.CancelledError, KafkaError, OSError):
                await starting
            await stop_consumer(consumer)

    async def is_member(self, membership: Membership) -> bool:
        """Part of `Group`."""
        request = HeartbeatRequest(self._group_id, membership.generation, membership.member_id)
        try:
            response = await self._cluster.ask_coordinator(
                CoordinationType.GROUP, self._group_id, request
            )
        except (KafkaError, OSError) as error:
            self._complain(describe(error))
            return False
        if response.error_code in _COORDINATOR_MOVED:
            self._cluster.forget_coordinator(CoordinationType.GROUP, self._group_id)
        self._complaint = ""
        return response.error_code in _CURRENT

    def _complain(self, complaint: str) -> None:
        """Say it once: every stream asks, and asks again."""
        if complaint != self._complaint:
            _log.info("asking the coordinator of %s: %s", self._group_id, complaint)
        self._complaint = complaint


class _Pausing(ConsumerRebalanceListener):
    """Pauses whatever is assigned, and passes the news on."""

    def __init__(self, consumer: AIOKafkaConsumer, listener: GroupListener) -> None:
        self._consumer = consumer
        self._listener = listener

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        # aiokafka only logs what a callback raises; heartbeats go on while this one runs.
        await self._listener.on_revoked()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        # No heartbeats while this one runs: nothing here may wait.
        self._consumer.pause(*assigned)
        streams = frozenset(one.partition for one in assigned)
        self._listener.on_assigned(streams, membership_of(self._consumer))


def _own_sticky_assignor() -> type[StickyPartitionAssignor]:
    """aiokafka keeps the sticky assignor's memory on the class: one class for each member."""
    return type("OwnStickyPartitionAssignor", (StickyPartitionAssignor,), {})
