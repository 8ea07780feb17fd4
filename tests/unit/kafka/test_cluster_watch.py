"""Who asks for metadata, and when."""

import asyncio
from typing import Any

from processor.kafka.cluster_client import ClusterClient
from processor.kafka.cluster_view import BrokerAddress, ClusterView, Leader
from processor.kafka.cluster_watch import ClusterWatch
from processor.kafka.protocol.metadata import MetadataRequest
from tests.unit.kafka.fake_client import FakeClient


def watch_of(client: Any, view: ClusterView, *topics: str) -> ClusterWatch:
    return ClusterWatch(client, view, topics)


def asked(client: FakeClient) -> list[set[str]]:
    return [
        set(one.topics) for _node, one, _group in client.sent if isinstance(one, MetadataRequest)
    ]


async def updated(watch: ClusterWatch) -> asyncio.Event:
    """Set at the next update."""
    event = asyncio.Event()
    watch.on_update(event.set)
    return event


async def test_it_asks_at_once_for_our_topics_alone() -> None:
    client, view = FakeClient("a", "b"), ClusterView()
    watch = watch_of(client, view, "a")
    event = await updated(watch)
    async with watch.running():
        await event.wait()
    assert asked(client) == [{"a"}]
    assert (view.leader("a", 0), view.leader("b", 0)) == (Leader(1, 5), None)


async def test_it_asks_again_when_told_and_for_a_topic_that_is_new() -> None:
    client, view = FakeClient("a", "b"), ClusterView()
    watch = watch_of(client, view, "a")
    event = await updated(watch)
    async with watch.running():
        await event.wait()
        event.clear()
        watch.add(["a"])
        watch.add(["b", "a"])
        await event.wait()
        event.clear()
        client.on_stale()
        await event.wait()
    assert asked(client) == [{"a"}, {"a", "b"}, {"a", "b"}]


async def test_it_asks_one_broker_after_the_other_until_one_answers() -> None:
    client, view = FakeClient("a", nodes=(1, 2, 3)), ClusterView()
    client.down = {1, 3}
    watch = watch_of(client, view, "a")
    for _ in range(5):
        assert await watch.look()
    assert view.updates == 5


async def test_a_broker_that_hangs_is_passed_over() -> None:
    client, view = FakeClient("a", nodes=(1, 2)), ClusterView()
    client.hung = {1}
    watch = ClusterWatch(client, view, ("a",), answer_timeout_ms=1)  # type: ignore[arg-type]
    for _ in range(6):
        assert await watch.look()


async def test_nobody_answers_and_nothing_is_learned() -> None:
    client, view = FakeClient("a", nodes=(1, 2)), ClusterView()
    client.down = {1, 2}
    assert not await watch_of(client, view, "a").look()
    assert view.updates == 0
    assert {node for node, *_ in client.sent} == {1, 2}


async def test_the_client_is_told_where_the_brokers_are() -> None:
    client = FakeClient("a", nodes=(1, 2))
    await watch_of(client, ClusterView(), "a").look()
    assert client.told_brokers == [
        ([BrokerAddress(1, "host", 9092), BrokerAddress(2, "host", 9092)], 1)
    ]


async def test_it_stops_with_its_block() -> None:
    async with watch_of(FakeClient("a"), ClusterView(), "a").running():
        pass
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_the_client_asks_for_nothing_by_itself_but_tells() -> None:
    client = ClusterClient(bootstrap_servers="nowhere:1")
    told: list[int] = []
    client.on_stale = lambda: told.append(1)
    assert await client.force_metadata_update()
    assert told == [1]


async def test_the_client_knows_the_brokers_that_it_was_told() -> None:
    client = ClusterClient(bootstrap_servers="nowhere:1")
    client.learn_brokers([BrokerAddress(7, "host", 9092, "rack")], 7)
    (broker,) = client.cluster.brokers()
    assert (broker.nodeId, broker.host, broker.port) == (7, "host", 9092)
    client.learn_brokers([BrokerAddress(8, "host", 9092)], 8)
    assert [one.nodeId for one in client.cluster.brokers()] == [8]
