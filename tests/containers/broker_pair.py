"""Two brokers, of which the second can be lost.

The first one is the controller and coordinates the transactions: it goes on when the partitions of
a transaction have lost their leaders.
"""

import asyncio
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import CoordinationType
from aiokafka.errors import KafkaError, NoError, TopicAlreadyExistsError
from testcontainers.core.network import Network

from processor.kafka.cluster import Cluster
from processor.topic_rules import specs
from processor.topics import Topics
from tests.containers.kafka import INTERNAL_PARTITIONS, KafkaContainer
from tests.free_port import free_port

STAYS: Final = 1
CAN_BE_LOST: Final = 2
NO_LEADER: Final = -1
_LIMIT_S = 60
_POLL_S = 0.05
_COMMON: Final = {
    "KAFKA_LISTENERS": "HOST://:9092,BROKER://:9093",
    "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@broker-1:9094",
}
_SETTINGS: Final[Mapping[int, Mapping[str, str]]] = {
    STAYS: {
        **_COMMON,
        "KAFKA_LISTENERS": "HOST://:9092,BROKER://:9093,CONTROLLER://:9094",
    },
    CAN_BE_LOST: {**_COMMON, "KAFKA_NODE_ID": "2", "KAFKA_PROCESS_ROLES": "broker"},
}


def _broker(node: int) -> KafkaContainer:
    return KafkaContainer(free_port(), alias=f"broker-{node}", settings=_SETTINGS[node])


class BrokerPair:
    """The two brokers."""

    def __init__(self) -> None:
        self._stays = _broker(STAYS)
        self._can_be_lost = _broker(CAN_BE_LOST)

    @property
    def servers(self) -> str:
        """The address of the broker that stays."""
        return self._stays.servers

    def start(self, network: Network) -> None:
        """Start both."""
        for broker in (self._stays, self._can_be_lost):
            broker.join(network)
            broker.start()

    def close(self) -> None:
        """Remove both."""
        self._can_be_lost.close()
        self._stays.close()

    async def lose(self, admin: AIOKafkaAdminClient) -> None:
        """kill -9 the second broker; returns when none of its partitions has a leader any more."""
        await asyncio.to_thread(self._can_be_lost.kill)
        await _leave(admin, CAN_BE_LOST)

    async def get_back(self, admin: AIOKafkaAdminClient) -> None:
        """Start it again, on the data it had; returns when all partitions have leaders."""
        await asyncio.to_thread(self._can_be_lost.start)
        await _leave(admin, NO_LEADER)


@contextmanager
def broker_pair() -> Iterator[BrokerPair]:
    """Both, started, and gone after the block."""
    pair = BrokerPair()
    with Network() as network:
        try:
            pair.start(network)
            yield pair
        finally:
            pair.close()


async def _leave(admin: AIOKafkaAdminClient, node: int) -> None:
    """Wait until a node leads no partition; what nobody leads is led by `NO_LEADER`."""
    deadline = time.monotonic() + _LIMIT_S
    while True:
        leaders = await _leaders(admin)
        if leaders and node not in leaders:
            return
        assert time.monotonic() < deadline, f"leaders: {leaders}"
        await asyncio.sleep(_POLL_S)


async def _leaders(admin: AIOKafkaAdminClient) -> set[int]:
    """Who leads partitions, those of internal topics included; nobody if no broker says."""
    try:
        return {
            part["leader"] for one in await admin.describe_topics() for part in one["partitions"]
        }
    except KafkaError as error:
        if not error.retriable:
            raise
        return set()


async def app_on_pair(cluster: Cluster, admin: AIOKafkaAdminClient) -> str:
    """A new app id. The second broker coordinates its group, the first one its transactions.

    The transactions are those of ``APP_ID:one``.
    """
    deadline = time.monotonic() + _LIMIT_S
    app_id = f"pair-{uuid.uuid4().hex[:8]}"
    while not await _are_placed(admin):
        assert time.monotonic() < deadline, "the second broker takes no partitions"
        await asyncio.sleep(_POLL_S)
    while (found := await _coordinators(cluster, app_id)) != (STAYS, CAN_BE_LOST):
        assert time.monotonic() < deadline, f"coordinated by {found}"
        await asyncio.sleep(_POLL_S)
    return app_id


async def _are_placed(admin: AIOKafkaAdminClient) -> bool:
    """Create the topics that coordinate; whether they are there.

    A broker would create them where it likes, and only on brokers that it knows of by then.
    """
    placed = [
        NewTopic(
            name,
            -1,
            -1,
            replica_assignments={number: [node] for number in range(INTERNAL_PARTITIONS)},
            topic_configs={"cleanup.policy": "compact"},
        )
        for name, node in (("__transaction_state", STAYS), ("__consumer_offsets", CAN_BE_LOST))
    ]
    response: Any = await admin.create_topics(placed)
    codes = {code for _, code, *_ in response.topic_errors}
    return codes <= {NoError.errno, TopicAlreadyExistsError.errno}


async def _coordinators(cluster: Cluster, app_id: str) -> tuple[int, int]:
    """Who coordinates its transactions, and who its group; 0 as long as nobody does."""
    look_up: Any = cluster.client.coordinator_lookup
    try:
        return (
            await look_up(CoordinationType.TRANSACTION, f"{app_id}:one"),
            await look_up(CoordinationType.GROUP, app_id),
        )
    except KafkaError as error:
        if not error.retriable:
            raise
        return 0, 0


async def topics_on(admin: AIOKafkaAdminClient, topics: Topics, node: int, streams: int) -> None:
    """Create all topics with all partitions on one broker; returns when they have leaders."""
    placed = {number: [node] for number in range(streams)}
    await admin.create_topics(
        [
            NewTopic(spec.name, -1, -1, replica_assignments=placed, topic_configs=dict(spec.config))
            for spec in specs(topics, streams, 1)
        ]
    )
    await _leave(admin, NO_LEADER)
