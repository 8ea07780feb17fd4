"""Clients of librdkafka: what they write is judged like all else, and they read the same table."""

import json
import signal
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from tests.integration import foreign
from tests.integration.cluster import Cluster
from tests.integration.conftest import NewCluster
from tests.integration.judge import judge
from tests.integration.process import command, processor
from tests.integration.traffic import encode, traffic

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

_STREAMS = 4
_EVENTS = 5_000


def written(cluster: Cluster, **settings: str) -> list[tuple[str, int]]:
    """Traffic, written by librdkafka."""
    events = ((event["user_id"], encode(event)) for event in traffic(21, _EVENTS))
    return foreign.write(cluster.servers, cluster.topics.events, events, **settings)


async def processed(cluster: Cluster, log: Path) -> None:
    """Wait until all has been processed, and the processor has ended."""
    with processor(cluster.environment, log) as running:
        await cluster.drained()
        running.signal(signal.SIGTERM)
        assert running.wait() == 0


async def answers(cluster: Cluster) -> list[dict[str, Any]]:
    """The answers to events of streams that they do not belong to."""
    read = await cluster.read(cluster.topics.results)
    return [json.loads(record.value or b"") for part in read for record in part]


async def test_its_default_partitioner_is_crc32_and_what_lands_elsewhere_is_wrong_stream(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(_STREAMS)
    places = written(cluster)
    assert len(places) == _EVENTS
    assert all(crc32(user.encode()) % _STREAMS == partition for user, partition in places)
    await processed(cluster, tmp_path / "log")
    await judge(cluster)
    reasons = [answer.get("reason") for answer in await answers(cluster)]
    assert _EVENTS / 2 < reasons.count("wrong_stream") < _EVENTS


async def test_with_the_partitioner_of_kafka_all_it_writes_is_in_its_stream(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(_STREAMS)
    written(cluster, partitioner="murmur2_random")
    await processed(cluster, tmp_path / "log")
    await judge(cluster)
    reasons = {answer.get("reason") for answer in await answers(cluster)}
    assert "wrong_stream" not in reasons


async def test_it_reads_the_same_table_of_live_orders_from_the_start(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(_STREAMS)
    written(cluster)
    await processed(cluster, tmp_path / "log")
    await judge(cluster)
    listed = command(cluster.environment, "list", "--json").stdout.splitlines()
    orders = {order["order_id"]: order for order in map(json.loads, listed)}
    assert orders
    assert foreign.read_table(cluster.servers, cluster.topics.live, _STREAMS) == orders
