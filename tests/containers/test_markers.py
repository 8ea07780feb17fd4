"""Transactions that end while their partitions have no leader: Kafka 4.3.1 leaves them hanging.

The broker that coordinates them completes them without the markers that the other one should have
got (KAFKA-20734). What happens to the records must not depend on it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from processor.errors import FootingLost
from processor.kafka.broker import KafkaBroker
from processor.kafka.client import admin_client, offsets_client
from processor.kafka.connection import Connection
from processor.runtime.ports import Committed, StreamWriter
from tests.containers.broker_pair import BrokerPair, PairedStream, broker_pair
from tests.contract.reading import keys, read_to, record

pytestmark = [pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def pair(engine: None) -> Iterator[BrokerPair]:
    """Two brokers, for all tests of this file."""
    with broker_pair() as brokers:
        yield brokers


class World:
    """One stream's broker as a process sees it, and the broker that it can lose."""

    def __init__(self, pair: BrokerPair, stream: PairedStream, broker: KafkaBroker) -> None:
        self.topics = stream.topics
        self.broker = broker
        self._pair = pair
        self._stream = stream

    async def lose_broker(self) -> None:
        """Kill the broker that has the partitions; returns when they have no leader any more."""
        await asyncio.to_thread(self._pair.lose)
        await self._stream.has_leaders(False)

    async def get_broker_back(self) -> None:
        """Start it again; returns when the partitions have leaders."""
        await asyncio.to_thread(self._pair.get_back)
        await self._stream.has_leaders(True)

    async def commit(self, writer: StreamWriter, key: str, offset: int) -> None:
        """One transaction with records in partitions of the stream's own and in another's queue."""
        await writer.begin()
        writer.write(self.topics.live, [record(key)])
        writer.write(self.topics.results, [record(key)])
        if key != "alone":
            writer.write(self.topics.claims, [record(key)], 1)
        await writer.commit(offset, f"with {key}")

    async def lose_broker_before_the_end(self, writer: Any) -> None:
        """Let the broker be lost when all is written, and before that is committed."""
        commit = writer._producer.commit_transaction

        async def lose_and_commit() -> None:
            await self.lose_broker()
            await commit()

        writer._producer.commit_transaction = lose_and_commit

    async def readable(self, topic: str, partition: int = 0) -> list[str]:
        """The keys of what a reader of committed records gets, once nothing of it hangs."""
        async with asyncio.timeout(30):
            while (bounds := await self.broker.bounds(topic, partition)).end < (
                await self.broker.end(topic, partition)
            ):
                await asyncio.sleep(0.05)
        reader = await self.broker.read(topic, partition, 0)
        try:
            return keys(await read_to(reader, bounds.end))
        finally:
            await reader.close()

    async def all_readable(self) -> list[list[str]]:
        """Of the three partitions that `commit` writes to."""
        return [
            await self.readable(self.topics.live),
            await self.readable(self.topics.results),
            await self.readable(self.topics.claims, 1),
        ]


@pytest.fixture
async def world(pair: BrokerPair) -> AsyncIterator[World]:
    """New topics, and a process's view of them."""
    connection = Connection(pair.servers)
    async with AsyncExitStack() as closing:
        admin = await closing.enter_async_context(admin_client(connection))
        stream = await PairedStream.create(admin)
        broker = KafkaBroker(
            connection,
            await closing.enter_async_context(offsets_client(connection)),
            await closing.enter_async_context(offsets_client(connection, "read_uncommitted")),
            admin,
            group_id=stream.group_id,
            topics=stream.topics,
            transaction_timeout_ms=60_000,
        )
        yield World(pair, stream, broker)


async def owner(world: World) -> StreamWriter:
    """A new owner of the stream, ready to write."""
    writer = await world.broker.fence(0)
    await writer.settle()
    return writer


async def owner_whose_last_commit_hangs(world: World) -> StreamWriter:
    """An owner with two commits, the second one without markers; the broker is still away."""
    writer = await owner(world)
    await world.commit(writer, "one", 1)
    await world.lose_broker_before_the_end(writer)
    await world.commit(writer, "two", 2)
    return writer


async def test_the_next_owner_commits_what_was_committed_without_markers(world: World) -> None:
    writer = await owner_whose_last_commit_hangs(world)
    await writer.close()
    await world.get_broker_back()
    await (await owner(world)).close()
    assert await world.broker.committed(0) == Committed(2, "with two")
    assert await world.all_readable() == [["one", "two"]] * 3


async def test_it_is_committed_also_when_an_owner_in_between_has_only_fenced(world: World) -> None:
    writer = await owner_whose_last_commit_hangs(world)
    await writer.close()
    await world.get_broker_back()
    await (await world.broker.fence(0)).close()
    await (await owner(world)).close()
    assert await world.broker.committed(0) == Committed(2, "with two")
    assert await world.all_readable() == [["one", "two"]] * 3


async def test_the_next_owner_aborts_what_was_aborted_without_markers(world: World) -> None:
    writer: Any = await owner(world)
    await world.commit(writer, "one", 1)

    async def abort() -> None:
        await world.lose_broker()
        await writer._producer.abort_transaction()
        raise FootingLost("as if the transaction had taken too long")

    writer._producer.commit_transaction = abort
    with pytest.raises(FootingLost):
        await world.commit(writer, "two", 2)
    await writer.close()
    await world.get_broker_back()
    writer = await owner(world)
    assert await world.broker.committed(0) == Committed(1, "with one")
    assert await world.all_readable() == [["one"]] * 3
    await world.commit(writer, "three", 2)
    await writer.close()
    assert await world.all_readable() == [["one", "three"]] * 3


async def test_an_owner_that_stays_commits_it_with_its_next_transaction(world: World) -> None:
    writer = await owner_whose_last_commit_hangs(world)
    await world.get_broker_back()
    assert writer.in_doubt
    writer_again: Any = writer
    del writer_again._producer.commit_transaction
    await world.commit(writer, "alone", 3)
    assert not writer.in_doubt
    await writer.close()
    assert await world.broker.committed(0) == Committed(3, "with alone")
    assert await world.all_readable() == [
        ["one", "two", "alone"],
        ["one", "two", "alone"],
        ["one", "two"],
    ]
