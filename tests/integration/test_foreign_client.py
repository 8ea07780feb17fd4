"""Clients of librdkafka: wherever what they write lands, the end is the same; and they read it."""

import json
import shutil
import signal
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from tests.integration import foreign
from tests.integration.cluster import Cluster
from tests.integration.conftest import NewCluster
from tests.integration.directory_judge import judge_directory
from tests.integration.process import command, processor
from tests.integration.traffic import Event, encode, traffic
from tests.model import NaiveSystem, partition_of

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

_STREAMS = 4
_EVENTS = 3_000
# Numbers of the stream itself, which jump when a task restores.
_INTERNAL = ("placed_seq", "seq")

Write = Callable[[str, str, Iterable[tuple[str, bytes]]], object]


def timed_traffic() -> Iterator[Event]:
    """Traffic with event times of its own, so that all of the orders can be compared."""
    for number, event in enumerate(traffic(21, _EVENTS)):
        minutes, seconds = divmod(number, 60)
        yield {**event, "occurred_at": f"2026-01-01T00:{minutes:02}:{seconds:02}.000Z"}


def live_orders_of_the_model() -> list[dict[str, Any]]:
    """What the traffic must lead to, each user's events in the stream of the user."""
    model = NaiveSystem(_STREAMS)
    for event in timed_traffic():
        model.apply(partition_of(event["user_id"], _STREAMS), event)
    return [order for stream in range(_STREAMS) for order in model.orders(stream)]


def by_id(orders: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Orders without the numbers of their stream.

    Users who share a stream and no partition come there in any order, and so do their orders.
    """
    return {
        one["order_id"]: {key: one[key] for key in one if key not in _INTERNAL} for one in orders
    }


def listed(cluster: Cluster) -> list[dict[str, Any]]:
    """The live orders, as ``live-orders list`` has them."""
    lines = command(cluster.environment, "list", "--json").stdout.splitlines()
    return [json.loads(line) for line in lines]


def write(cluster: Cluster, writer: Write) -> None:
    """Write the traffic, keyed by user."""
    events = ((event["user_id"], encode(event)) for event in timed_traffic())
    writer(cluster.servers, cluster.topics.events, events)


async def process(cluster: Cluster, log: Path) -> None:
    """Wait until all has been processed, and the processor has ended."""
    with processor(cluster.environment, log) as running:
        await cluster.at_rest()
        running.signal(signal.SIGTERM)
        assert running.wait() == 0


async def share_in_its_stream(cluster: Cluster, partitioner: Callable[[bytes], int]) -> float:
    """How many of the events are in their user's stream; all are where the partitioner says."""
    at_home = 0
    for number, part in enumerate(await cluster.read(cluster.topics.events)):
        for record in part:
            assert partitioner(record.key or b"") == number
            at_home += partition_of((record.key or b"").decode(), _STREAMS) == number
    return at_home / _EVENTS


def by_crc32(key: bytes) -> int:
    """Where librdkafka's default puts a key."""
    return crc32(key) % _STREAMS


def by_murmur2(key: bytes) -> int:
    """Where Java's default puts a key."""
    return partition_of(key.decode(), _STREAMS)


@pytest.mark.parametrize(
    ("writer", "partitioner", "at_most"),
    [
        pytest.param(partial(foreign.write, partitioner="murmur2"), by_murmur2, 1, id="murmur2"),
        pytest.param(foreign.write, by_crc32, 0.5, id="crc32"),
        pytest.param(
            foreign.write_with_kcat,
            by_crc32,
            0.5,
            id="kcat",
            marks=pytest.mark.skipif(shutil.which("kcat") is None, reason="needs kcat"),
        ),
    ],
)
async def test_the_live_orders_are_the_same_whatever_partitioner_wrote_the_events(
    new_cluster: NewCluster,
    tmp_path: Path,
    writer: Write,
    partitioner: Callable[[bytes], int],
    at_most: float,
) -> None:
    cluster = await new_cluster(_STREAMS)
    write(cluster, writer)
    assert 0 < await share_in_its_stream(cluster, partitioner) <= at_most
    await process(cluster, tmp_path / "log")
    await judge_directory(cluster)
    orders = listed(cluster)
    assert orders
    assert by_id(orders) == by_id(live_orders_of_the_model())
    assert len(orders) == len(by_id(orders))
    # A client of librdkafka reads the same table, from its start.
    table = {order["order_id"]: order for order in orders}
    assert foreign.read_table(cluster.servers, cluster.topics.live, _STREAMS) == table
