"""Somebody changes the topics under a processor: it says how to mend that, and then goes on."""

import asyncio
import signal
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from tests.integration.cluster import Cluster
from tests.integration.conftest import NewCluster
from tests.integration.judge import judge
from tests.integration.process import processor
from tests.integration.traffic import encode, traffic

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]


async def _fill(cluster: Cluster, seed: int) -> None:
    events = traffic(seed, 2_000)
    await cluster.send((event["user_id"], encode(event)) for event in events)


async def _allow(cluster: Cluster, topic: str, max_bytes: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.servers)
    await admin.start()
    config = {"max.message.bytes": str(max_bytes)}
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, config)])
    await admin.close()


async def _delete(cluster: Cluster, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.servers)
    await admin.start()
    await admin.delete_topics([topic])
    await admin.close()


async def test_a_topic_that_takes_smaller_batches_only_is_named_until_it_is_mended(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(2)
    with processor(cluster.environment, tmp_path / "log") as running:
        running.wait_for("running from offset", times=2)
        await _allow(cluster, cluster.topics.results, 10_000)
        await _fill(cluster, seed=1)
        await asyncio.to_thread(
            running.wait_for, f"{cluster.topics.results} refuses what is written to it"
        )
        await _allow(cluster, cluster.topics.results, 1_048_576)
        await cluster.drained()
        running.signal(signal.SIGTERM)
        assert running.wait(10) == 0
    await judge(cluster)


async def test_a_topic_that_is_gone_is_named_until_it_is_there_again(
    real_bootstrap: str, new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(2)
    with processor(cluster.environment, tmp_path / "log") as running:
        running.wait_for("running from offset", times=2)
        await _delete(cluster, cluster.topics.results)
        await _fill(cluster, seed=2)
        remedy = f"live-orders topics create --streams 2 --topic-prefix {cluster.topics.prefix}"
        await asyncio.to_thread(running.wait_for, f"{cluster.topics.results}: no such topic")
        assert remedy in running.log
        await cluster.create()
        await cluster.drained()
        running.signal(signal.SIGTERM)
        assert running.wait(10) == 0
    assert "Traceback" not in running.log
    await judge(cluster)
