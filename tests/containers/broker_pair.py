"""Two brokers, of which the second has all that streams read and write, and can be lost.

The first one is the controller and coordinates the transactions: it goes on when the partitions of
a transaction have lost their leaders.
"""

import asyncio
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError
from testcontainers.core.network import Network

from processor.kafka.transaction_state import find_transaction_coordinator
from processor.kafka.writer import transactional_id
from processor.topic_rules import specs
from processor.topics import Topics
from tests.containers.kafka import KafkaContainer
from tests.free_port import free_port

_COORDINATOR, _DATA = 1, 2
_PARTITIONS = 2
_LIMIT_S = 60
_POLL_S = 0.05
_COMMON: Final = {
    "KAFKA_LISTENERS": "HOST://:9092,BROKER://:9093",
    "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@broker-1:9094",
}
_SETTINGS: Final[Mapping[int, Mapping[str, str]]] = {
    _COORDINATOR: {
        **_COMMON,
        "KAFKA_LISTENERS": "HOST://:9092,BROKER://:9093,CONTROLLER://:9094",
    },
    _DATA: {**_COMMON, "KAFKA_NODE_ID": "2", "KAFKA_PROCESS_ROLES": "broker"},
}


def _broker(node: int) -> KafkaContainer:
    return KafkaContainer(free_port(), alias=f"broker-{node}", settings=_SETTINGS[node])


class BrokerPair:
    """The two brokers."""

    def __init__(self) -> None:
        self._coordinator = _broker(_COORDINATOR)
        self._data = _broker(_DATA)

    @property
    def servers(self) -> str:
        """The address of the broker that stays."""
        return self._coordinator.servers

    def start(self, network: Network) -> None:
        """Start both."""
        for broker in (self._coordinator, self._data):
            broker.join(network)
            broker.start()

    def close(self) -> None:
        """Remove both."""
        self._data.close()
        self._coordinator.close()

    def lose(self) -> None:
        """kill -9 the second broker."""
        self._data.kill()

    def get_back(self) -> None:
        """Start it again, on the data it had."""
        self._data.start()


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


@dataclass(frozen=True, slots=True)
class PairedStream:
    """A group and topics, all that stream 0 reads and writes being on the second broker."""

    admin: AIOKafkaAdminClient
    group_id: str
    topics: Topics

    @classmethod
    async def create(cls, admin: AIOKafkaAdminClient) -> "PairedStream":
        """New ones, the transactions of which the first broker coordinates."""
        deadline = time.monotonic() + _LIMIT_S
        # Before, all partitions of the topics that coordinate would come to the first.
        while len((await admin.describe_cluster())["brokers"]) < _DATA:
            assert time.monotonic() < deadline, "the second broker never joined"
            await asyncio.sleep(_POLL_S)
        while True:
            group_id, prefix = (f"pair-{uuid.uuid4().hex[:8]}" for _ in range(2))
            stream = cls(admin, group_id, Topics(f"{prefix}.", directory_on=True))
            if await stream._coordinators() == (_COORDINATOR, _DATA):
                break
            assert time.monotonic() < deadline, "never coordinated as it should be"
        await stream._create_topics()
        return stream

    async def _coordinators(self) -> tuple[int, int]:
        """Who coordinates its transactions, and who its group; 0 as long as nobody does."""
        try:
            return (
                await find_transaction_coordinator(
                    self.admin, transactional_id(self.group_id, self.topics, 0)
                ),
                await self.admin.find_coordinator(self.group_id),
            )
        except KafkaError as error:
            if not error.retriable:
                raise
            await asyncio.sleep(_POLL_S)
            return 0, 0

    async def _create_topics(self) -> None:
        placed = {number: [_DATA] for number in range(_PARTITIONS)}
        await self.admin.create_topics(
            [
                NewTopic(
                    spec.name, -1, -1, replica_assignments=placed, topic_configs=dict(spec.config)
                )
                for spec in specs(self.topics, _PARTITIONS, 1)
            ]
        )
        await self.has_leaders(True)

    async def has_leaders(self, wanted: bool) -> None:
        """Wait until all partitions have a leader, or none has."""
        deadline = time.monotonic() + _LIMIT_S
        while True:
            leaders = await self._leaders()
            if leaders and all(has is wanted for has in leaders):
                return
            assert time.monotonic() < deadline, f"leaders: {leaders}"
            await asyncio.sleep(_POLL_S)

    async def _leaders(self) -> list[bool]:
        """Of each partition, whether it has one; nothing if no broker says."""
        try:
            return [
                part["leader"] >= 0
                for one in await self.admin.describe_topics()
                if one["topic"] in self.topics.all
                for part in one["partitions"]
            ]
        except KafkaError as error:
            if not error.retriable:
                raise
            return []
