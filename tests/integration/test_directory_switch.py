"""Turning the directory on and off, with processes on a real Kafka."""

import signal
from collections.abc import Iterable, Iterator
from itertools import count as count_up
from pathlib import Path

import pytest

from tests.integration.cluster import Cluster
from tests.integration.conftest import NewCluster
from tests.integration.directory_judge import judge_directory
from tests.integration.directory_traffic import Sent, directory_traffic
from tests.integration.process import command, processor
from tests.integration.traffic import encode
from tests.model import partition_of

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

_STREAMS = 2
# More than one transaction of claims in stream 0.
_BEFORE = 5_700
_AFTER = 1_000


async def _send(cluster: Cluster, events: Iterable[Sent]) -> None:
    await cluster.send_to((to, encode(event)) for to, event in events)


def _places_at_home(count: int) -> Iterator[Sent]:
    """Places in stream 0, by one user each; one id in twenty is placed in stream 1 as well."""
    for number in range(count):
        home, order_id = (1, number - 1) if number % 20 == 19 else (0, number)
        names = (f"user-{number}-{again}" for again in count_up())
        user = next(name for name in names if partition_of(name, _STREAMS) == home)
        event = {"type": "place", "order_id": f"before-{order_id}", "user_id": user}
        yield Sent(home, {**event, "currency": "BTC", "amount": "1", "price": "2"})


def _off(cluster: Cluster) -> dict[str, str]:
    return {**cluster.environment, "LIVE_ORDERS_DIRECTORY": "off"}


async def _run_to_the_end(cluster: Cluster, log: Path, *, directory: str) -> None:
    environment = {**cluster.environment, "LIVE_ORDERS_DIRECTORY": directory}
    with processor(environment, log) as running:
        await (cluster.at_rest() if directory == "on" else cluster.drained())
        running.signal(signal.SIGTERM)
        assert running.wait() == 0


async def test_it_is_turned_on_over_live_orders_with_kills_on_the_way(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(_STREAMS)
    await _send(cluster, _places_at_home(_BEFORE))
    await _run_to_the_end(cluster, tmp_path / "off", directory="off")
    await _send(cluster, directory_traffic(8, _AFTER, _STREAMS))
    by_id_alone = [{"type": "cancel", "order_id": f"before-{n}"} for n in range(100, 118)]
    await _send(cluster, (Sent(n % _STREAMS, event) for n, event in enumerate(by_id_alone)))
    # With claims written and not committed, and with some committed.
    for attempt, level in enumerate(("read_uncommitted", "read_uncommitted", "read_committed")):
        # More than the markers of what the kill before has left open.
        claims = await cluster.written(cluster.topics.claims) + 100
        with processor(cluster.environment, tmp_path / f"killed-{attempt}") as killed:
            await cluster.written(
                cluster.topics.claims,
                claims,
                isolation_level=level,
                unless=lambda: killed.log.count("running from") == _STREAMS,
            )
            killed.kill()
        await cluster.forget_members()
    await _run_to_the_end(cluster, tmp_path / "on", directory="on")
    counts = await judge_directory(cluster)
    assert counts["revoked without a place"] > 100
    assert counts["forwarded"] > 100


async def test_turning_it_off_is_refused_with_live_orders_and_taken_without(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(_STREAMS)
    place = next(iter(_places_at_home(1)))
    await _send(cluster, [place])
    await _run_to_the_end(cluster, tmp_path / "on", directory="on")
    refused = command(_off(cluster), "run")
    assert refused.returncode == 2
    (sentence,) = [line for line in refused.stderr.splitlines() if "INFO" not in line]
    assert "the directory cannot be turned off" in sentence
    assert "LIVE_ORDERS_DIRECTORY=on" in sentence

    cancel = {"type": "cancel", "order_id": place.event["order_id"]}
    await _send(cluster, [Sent(1 - place.partition, cancel)])
    await _run_to_the_end(cluster, tmp_path / "on again", directory="on")
    await judge_directory(cluster)
    await _send(cluster, [place])
    await _run_to_the_end(cluster, tmp_path / "off", directory="off")
    assert command(cluster.environment, "list").stdout.splitlines() == [place.event["order_id"]]
