"""``market``: its events apply, again and again on the same topics, and it stops when told to."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cluster import Cluster
from tests.integration.conftest import NewCluster
from tests.integration.process import command, processor, started
from tests.integration.terminal import CTRL_C, terminal

pytestmark = pytest.mark.kafka

_SMALL = ("market", "--users", "20", "--max-live", "50", "--rate", "2000")


async def values(cluster: Cluster, topic: str) -> list[dict[str, Any]]:
    read = await cluster.read(topic)
    return [json.loads(record.value or b"null") for part in read for record in part]


async def test_started_twice_on_the_same_topics_every_event_applies(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(3)
    with processor(cluster.environment, tmp_path / "log"):
        for _ in range(2):
            done = command(cluster.environment, *_SMALL, "--events", "400", "--seed", "7")
            assert done.returncode == 0
            assert done.stderr.endswith("400 events sent\n")
        await cluster.drained()
    answers = await values(cluster, cluster.topics.results)
    assert [answer["result"] for answer in answers] == ["applied"] * 800


async def test_its_rate_and_users_come_from_the_environment_too(new_cluster: NewCluster) -> None:
    cluster = await new_cluster(1)
    environment = {"LIVE_ORDERS_MARKET_RATE": "20", "LIVE_ORDERS_MARKET_USERS": "2"}
    began = time.monotonic()
    done = command(cluster.environment | environment, "market", "--events", "41")
    assert done.returncode == 0
    assert time.monotonic() - began >= 2
    sent = await values(cluster, cluster.topics.events)
    assert {event["user_id"] for event in sent} == {"user-0001", "user-0002"}


async def test_sigterm_ends_it_with_all_sent_that_it_says(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(2)
    with started(cluster.environment, tmp_path / "log", *_SMALL) as sending:
        while not await values(cluster, cluster.topics.events):
            assert sending.alive
        sending.signal(signal.SIGTERM)
        assert sending.wait() == 0
    count = len(await values(cluster, cluster.topics.events))
    assert sending.log.endswith(f"\n{count:,} events sent\n")


async def test_ctrl_c_ends_it_without_a_traceback(new_cluster: NewCluster) -> None:
    cluster = await new_cluster(1)
    with terminal(cluster.environment, *_SMALL) as sending:
        sending.wait_for("Ctrl-C ends")
        sending.type(CTRL_C)
        assert sending.wait() == 0
    assert sending.shown.endswith(" sent\r\n")
    assert "Traceback" not in sending.shown


def test_without_a_kafka_it_says_so_and_what_to_do() -> None:
    done = command({}, "market", "--bootstrap-servers", "127.0.0.1:1")
    assert done.returncode == 3
    assert done.stderr.startswith("live-orders: no Kafka answers at 127.0.0.1:1: start it, or")


def test_a_rate_that_is_none_is_refused_in_one_sentence() -> None:
    done = command({"LIVE_ORDERS_MARKET_RATE": "0"}, "market")
    assert done.returncode == 2
    assert done.stderr == (
        "live-orders: setting market_rate (LIVE_ORDERS_MARKET_RATE): must be greater than 0\n"
    )
