"""An app on two brokers: owners of its stream 0, and what anyone can read of them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient

from processor.app.connect import connection_of, new_id
from processor.errors import RoundAborted
from processor.kafka.client import admin_client
from processor.kafka.cluster import open_cluster
from processor.kafka.transaction_requests import transaction_version
from processor.kafka.transactions.values import TransactionVersion
from processor.settings import load_settings
from processor.task.clock import SystemClock
from processor.task.committer import Committer, RoundSettings
from processor.task.context import TaskContext, TaskSettings
from processor.task.gate import Gate
from processor.task.handover import last_position, take_over
from processor.task.identity import TaskIdentity
from processor.task.observer import SilentObserver
from processor.task.ports import Partition, Transactions
from processor.task.shortcut import Shortcuts
from processor.topics import Topics
from processor.wire.position import parse_position
from processor.wire.record import Record
from tests.containers.broker_pair import BrokerPair, app_on_pair, topics_on
from tests.contract.backends import NUM_STREAMS
from tests.contract.kafka_backend import KafkaProcess
from tests.contract.members import lone_member
from tests.contract.reading import group_offset, keys, read_all, record
from tests.contract.writing import commit
from tests.positions import a_position, record_of

_LIMIT_S = 60


class PairWorld:
    """An app whose topics are on one of two brokers. Its group is on the one that can be lost."""

    def __init__(
        self,
        pair: BrokerPair,
        admin: AIOKafkaAdminClient,
        app_id: str,
        version: TransactionVersion,
        closing: AsyncExitStack,
    ) -> None:
        self.app_id = app_id
        self.topics = Topics(f"{app_id}.")
        self.events = Partition(self.topics.events, 0)
        self._pair = pair
        self._admin = admin
        self._version = version
        self._closing = closing

    async def process(self) -> KafkaProcess:
        """One more process of the app."""
        settings = load_settings(
            bootstrap_servers=self._pair.servers,
            app_id=self.app_id,
            topic_prefix=self.topics.prefix,
        )
        connection = connection_of(settings, "pair")
        cluster = await self._closing.enter_async_context(open_cluster(connection, self.topics.all))
        return KafkaProcess(settings, cluster, self._version, self._closing)

    async def lose_broker(self) -> None:
        """Kill the broker that can be lost; returns when its partitions have no leader."""
        await self._pair.lose(self._admin)

    async def get_broker_back(self) -> None:
        """Start it again; returns when all partitions have leaders."""
        await self._pair.get_back(self._admin)

    # Owners

    def writes(self, key: str, offset: int, owner: str) -> Mapping[Partition, list[Record]]:
        """What a round of stream 0 writes: its own tables, and the queue of another stream."""
        topics = self.topics
        return {
            Partition(topics.live, 0): [record(key)],
            Partition(topics.results, 0): [record(key)],
            Partition(topics.progress, 0): [record_of(a_position(owner, offset))],
            Partition(topics.claims, 1): [record(key)],
        }

    async def write(self, owner: Transactions, key: str, offset: int) -> None:
        """Commit a round, without the group."""
        await commit(owner, self.writes(key, offset, owner.transactional_id))

    @asynccontextmanager
    async def written(
        self, process: KafkaProcess, owner: Transactions, key: str, offset: int, *, refused: bool
    ) -> AsyncIterator["asyncio.Task[object]"]:
        """Have a round of which only the end is missing; it goes out after the block.

        Args:
            process: whose round.
            owner: its transactions.
            key: of its records.
            offset: how far its events are read.
            refused: whether the group refuses the offset, so that the end is an abort.
        """
        hold = process.hold_end()
        async with lone_member(process.group) as member:
            current = member.membership
            committing = asyncio.create_task(
                commit(
                    owner,
                    self.writes(key, offset, owner.transactional_id),
                    {self.events: offset},
                    current._replace(generation=current.generation + refused),
                )
            )
            async with asyncio.timeout(_LIMIT_S):
                await hold.reached.wait()
        try:
            yield committing
            hold.release()
            async with asyncio.timeout(_LIMIT_S):
                await asyncio.wait([committing])
        finally:
            committing.cancel()

    async def commit_that_hangs(self, process: KafkaProcess, owner: Transactions) -> None:
        """Commit "one", and "two" without its markers; the broker is still away."""
        await self.write(owner, "one", 1)
        async with self.written(process, owner, "two", 2, refused=False) as committing:
            await self.lose_broker()
        committing.result()

    async def abort_that_hangs(self, process: KafkaProcess, owner: Transactions) -> None:
        """Commit "one", and abort "two" without its markers; the broker is still away."""
        await self.write(owner, "one", 1)
        async with self.written(process, owner, "two", 2, refused=True) as committing:
            await self.lose_broker()
        assert isinstance(committing.exception(), RoundAborted)

    async def death_that_hangs(self, process: KafkaProcess, owner: Transactions) -> None:
        """Commit "one", and die in "two". It is aborted without markers by somebody else."""
        await self.write(owner, "one", 1)
        async with self.written(process, owner, "two", 2, refused=False) as committing:
            await self.lose_broker()
            committing.cancel()
            await asyncio.wait([committing])
            other = (await self.process()).broker
            await other.abort_transaction(await other.transaction_of(owner.transactional_id))

    # Heirs

    @asynccontextmanager
    async def context(self, process: KafkaProcess, own: Transactions) -> AsyncIterator[TaskContext]:
        """What the task of stream 0 is given in a process that is the group's only member."""
        clock, gate = SystemClock(), Gate()
        gate.open()
        committer = Committer(own, clock, self.topics, RoundSettings())
        async with lone_member(process.group) as member:
            committer.membership = member.membership
            yield TaskContext(
                TaskIdentity(0, NUM_STREAMS, self.topics, self.app_id),
                TaskSettings(),
                process.broker,
                committer,
                Shortcuts(NUM_STREAMS, self.topics, committer.is_queued, clock),
                process.group.is_member,
                asyncio.Semaphore(),
                gate,
                clock,
                new_id,
                SilentObserver(),
            )

    async def take_over(self) -> tuple[int, int | None]:
        """Let a new process take stream 0 over.

        Returns:
            The event offsets of its position and of the group.
        """
        heir = await self.process()
        async with self.context(heir, heir.transactions("heir")) as context:
            async with asyncio.timeout(_LIMIT_S):
                await take_over(context)
            position = await last_position(context)
        assert position is not None
        return parse_position(position)["events"], await group_offset(heir.broker, 0)

    async def readable(self) -> list[list[str]]:
        """The keys that a reader of committed records gets, of what rounds write keys to."""
        broker = (await self.process()).broker
        topics = self.topics
        found = [
            await read_all(broker, where)
            for where in (
                Partition(topics.live, 0),
                Partition(topics.results, 0),
                Partition(topics.claims, 1),
            )
        ]
        return [keys(records) for records in found]


@asynccontextmanager
async def pair_world(pair: BrokerPair, topics_node: int) -> AsyncIterator[PairWorld]:
    """A new app with its topics on one of the brokers."""
    settings = load_settings(bootstrap_servers=pair.servers)
    connection = connection_of(settings, "pair")
    async with (
        admin_client(connection) as admin,
        open_cluster(connection, ()) as cluster,
        AsyncExitStack() as closing,
    ):
        version = await transaction_version(cluster.client)
        app_id = await app_on_pair(cluster, admin)
        await topics_on(admin, Topics(f"{app_id}."), topics_node, NUM_STREAMS)
        yield PairWorld(pair, admin, app_id, version, closing)
