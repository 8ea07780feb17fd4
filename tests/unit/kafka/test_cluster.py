"""What the parts of a process share: who leads and coordinates, and where partitions end."""

import asyncio

import pytest
from aiokafka.client import CoordinationType
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    LeaderNotAvailableError,
    RequestTimedOutError,
    TopicAuthorizationFailedError,
)

from processor.errors import KafkaUnavailable
from processor.kafka import cluster as module
from processor.kafka.cluster import open_cluster
from processor.kafka.connection import Connection
from processor.kafka.transactions.values import TopicPartition
from processor.task.ports import Offsets
from tests.free_port import free_port
from tests.unit.kafka.brokers import Brokers, cluster_of, partitions

P0, P1, P2 = partitions(0, 1, 2)
GROUP, TRANSACTION = CoordinationType.GROUP, CoordinationType.TRANSACTION
NO_LEADER = (-1, 6)


async def test_leaders_are_asked_for_and_those_without_one_left_out() -> None:
    brokers = Brokers()
    brokers.leaders[1] = NO_LEADER
    found = await cluster_of(brokers).find_leaders([("t", 0), ("t", 1), ("t", 2), ("t", 9)])
    assert found == {TopicPartition("t", 0): 1, TopicPartition("t", 2): 1}
    assert brokers.looks == 1


async def test_leaders_are_waited_for_until_all_are_there() -> None:
    brokers = Brokers()
    brokers.leaders[1] = NO_LEADER
    waiting = asyncio.create_task(cluster_of(brokers).wait_for_leaders([P0, P1]))
    while brokers.looks < 3:
        await asyncio.sleep(0)
    assert not waiting.done()
    brokers.leaders[1] = (2, 7)
    await waiting


async def test_a_leader_that_does_not_come_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LEADERS_WITHIN_S", -1)
    brokers = Brokers()
    brokers.leaders[1] = NO_LEADER
    with pytest.raises(LeaderNotAvailableError, match="t/1 has no leader"):
        await cluster_of(brokers).wait_for_leaders([P0, P1])


async def test_partitions_are_told_apart_by_their_leaders() -> None:
    cluster = cluster_of(Brokers())
    await cluster.watch.look()
    assert cluster.by_leader([P0, P1, P2]) == {1: [P0, P2], 2: [P1]}


async def test_a_partition_without_a_leader_is_looked_for_at_once() -> None:
    brokers = Brokers()
    brokers.leaders[1] = NO_LEADER
    cluster = cluster_of(brokers)
    async with cluster.watch.running():
        while brokers.looks < 1:
            await asyncio.sleep(0)
        with pytest.raises(LeaderNotAvailableError, match="t/1 has no leader"):
            cluster.by_leader([P0, P1])
        async with asyncio.timeout(0.5):  # else it is looked for once a second
            while brokers.looks < 2:
                await asyncio.sleep(0.001)


async def test_offsets_are_asked_of_the_leaders_thrice() -> None:
    brokers = Brokers()
    cluster = cluster_of(brokers)
    await cluster.watch.look()
    assert await cluster.offsets([P0, P1, P2]) == {
        P0: Offsets(3, 7, 9),
        P1: Offsets(103, 107, 109),
        P2: Offsets(203, 207, 209),
    }
    assert sorted(node for node, _ in brokers.asked) == [1, 1, 1, 2, 2, 2]


async def test_offsets_are_asked_for_again_until_they_come() -> None:
    brokers = Brokers()
    brokers.refuses = [6, 5, 6, 6]
    cluster = cluster_of(brokers)
    await cluster.watch.look()
    assert await cluster.offsets([P0]) == {P0: Offsets(3, 7, 9)}


async def test_offsets_of_a_moved_partition_come_from_the_new_leader() -> None:
    brokers = Brokers()
    cluster = cluster_of(brokers)
    async with cluster.watch.running():
        await cluster.watch.look()
        brokers.leaders[0] = (2, 6)
        brokers.refuses = [6] * 3
        await cluster.offsets([P0])
        brokers.asked.clear()
        async with asyncio.timeout(0.5):  # else it is looked for once a second
            while cluster.by_leader([P0]) != {2: [P0]}:
                await asyncio.sleep(0.001)
        await cluster.offsets([P0])
    assert {node for node, _ in brokers.asked} == {2}


async def test_offsets_that_are_refused_are_not_asked_for_again() -> None:
    brokers = Brokers()
    brokers.refuses = [29] * 3
    cluster = cluster_of(brokers)
    await cluster.watch.look()
    with pytest.raises(TopicAuthorizationFailedError):
        await cluster.offsets([P0])
    assert len(brokers.asked) <= 3


async def test_offsets_that_do_not_come_are_given_up_in_time() -> None:
    brokers = Brokers()
    brokers.leaders[0] = NO_LEADER
    cluster = cluster_of(brokers, request_timeout_ms=10)
    await cluster.watch.look()
    with pytest.raises(RequestTimedOutError):
        await cluster.offsets([P0])


# Coordinators


async def test_a_coordinator_is_looked_for_once_for_each_key_and_kind() -> None:
    brokers = Brokers()
    cluster = cluster_of(brokers)
    answers = [
        await cluster.ask_coordinator(GROUP, "a", "first"),
        await cluster.ask_coordinator(GROUP, "a", "second"),
        await cluster.ask_coordinator(TRANSACTION, "a", "third"),
        await cluster.ask_coordinator(GROUP, "b", "fourth"),
    ]
    assert answers == [("first", 1), ("second", 1), ("third", 2), ("fourth", 3)]
    assert brokers.lookups == [(GROUP, "a"), (TRANSACTION, "a"), (GROUP, "b")]


async def test_a_coordinator_that_does_not_answer_is_looked_for_anew() -> None:
    brokers = Brokers()
    brokers.fails = [KafkaConnectionError()]
    cluster = cluster_of(brokers)
    with pytest.raises(KafkaError):
        await cluster.ask_coordinator(GROUP, "a", "first")
    assert await cluster.ask_coordinator(GROUP, "a", "second") == ("second", 2)


async def test_a_coordinator_that_was_forgotten_is_looked_for_anew() -> None:
    cluster = cluster_of(Brokers())
    await cluster.ask_coordinator(GROUP, "a", "first")
    cluster.forget_coordinator(GROUP, "a")
    cluster.forget_coordinator(GROUP, "never asked")
    assert await cluster.ask_coordinator(GROUP, "a", "second") == ("second", 2)


# Doubts


async def test_a_leader_that_has_moved_and_a_lost_connection_are_doubts() -> None:
    brokers = Brokers()
    cluster = cluster_of(brokers)
    async with cluster.watch.running():
        await cluster.watch.look()
        before = cluster.doubts
        await cluster.watch.look()
        assert cluster.doubts == before
        brokers.leaders[0] = (2, 6)
        await cluster.watch.look()
        assert cluster.doubts == before + 1
        brokers.on_stale()
        assert cluster.doubts == before + 2


# Opening


async def test_no_broker_is_an_error_that_says_where_none_is() -> None:
    servers = f"127.0.0.1:{free_port()}"
    connection = Connection(servers, connect_timeout_ms=10)
    with pytest.raises(KafkaUnavailable, match=servers):
        async with open_cluster(connection, ["t"]):
            raise AssertionError("it is open")
