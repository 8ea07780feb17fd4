"""Where partitions begin and end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka.errors import RequestTimedOutError, TopicAuthorizationFailedError

from processor.kafka.cluster_view import ClusterView, Leader
from processor.kafka.cluster_watch import ClusterWatch
from processor.kafka.offset_lookup import End, OffsetLookup
from processor.kafka.protocol.list_offsets import ListOffsetsRequest
from processor.kafka.transactions.values import TopicPartition
from tests.unit.kafka.fake_client import FakeClient

A0, A1, B0 = TopicPartition("a", 0), TopicPartition("a", 1), TopicPartition("b", 0)


@asynccontextmanager
async def lookup(client: FakeClient, timeout_ms: int = 60_000) -> AsyncIterator[OffsetLookup]:
    view = ClusterView()
    watch = ClusterWatch(client, view, ("a",))  # type: ignore[arg-type]
    async with watch.running():
        yield OffsetLookup(client, view, watch, timeout_ms)  # type: ignore[arg-type]


def asked(client: FakeClient) -> list[int]:
    return [node for node, one, _group in client.sent if isinstance(one, ListOffsetsRequest)]


async def test_an_end_of_many_partitions_takes_one_request_to_a_leader() -> None:
    client = FakeClient("a", "b")
    client.write("a", 0, 3)
    client.write("a", 1, 2, producer=7)
    client.write("b", 0, 5)
    client.logs["b", 0].begin = 4
    async with lookup(client) as opened:
        begins = await opened.offsets(End.FIRST, [A0, A1, B0])
        stable_ends = await opened.offsets(End.STABLE, [A0, A1, B0])
    assert begins == {A0: 0, A1: 0, B0: 4}
    assert stable_ends == {A0: 3, A1: 0, B0: 5}
    assert asked(client) == [1, 1]


async def test_the_last_end_counts_open_transactions() -> None:
    client = FakeClient("a")
    client.write("a", 0, 3, producer=7)
    async with lookup(client) as opened:
        assert await opened.offsets(End.LAST, [A0]) == {A0: 3}
        assert await opened.offsets(End.STABLE, [A0]) == {A0: 0}


async def test_leaders_are_asked_at_the_same_time() -> None:
    client = FakeClient("a", nodes=(1, 2))
    client.leaders["a", 1] = Leader(2, 5)
    client.write("a", 1, 1)
    async with lookup(client) as opened:
        assert await opened.offsets(End.LAST, [A0, A1]) == {A0: 0, A1: 1}
    assert sorted(asked(client)) == [1, 2]


@pytest.mark.parametrize("code", [6, 3, 5, 74, 78, -1])
async def test_what_may_pass_is_asked_again(code: int) -> None:
    client = FakeClient("a")
    client.faults.append(code)
    async with lookup(client) as opened:
        assert await opened.offsets(End.LAST, [A0]) == {A0: 0}


async def test_a_refusal_is_raised_as_it_is() -> None:
    client = FakeClient("a")
    client.faults.append(29)
    async with lookup(client) as opened:
        with pytest.raises(TopicAuthorizationFailedError, match="a/0"):
            await opened.offsets(End.LAST, [A0])


async def test_a_leader_that_does_not_answer_is_told_after_the_time() -> None:
    client = FakeClient("a", nodes=(1, 2))
    client.leaders["a", 1] = Leader(2, 5)
    client.down.add(2)
    async with lookup(client, timeout_ms=50) as opened:
        with pytest.raises(RequestTimedOutError, match=r"the offsets of a/1$"):
            await opened.offsets(End.LAST, [A0, A1])


async def test_nothing_is_asked_for_no_partitions() -> None:
    client = FakeClient("a")
    async with lookup(client) as opened:
        assert await opened.offsets(End.FIRST, []) == {}
    assert asked(client) == []
