"""Somebody changes the topics under a processor: it says how to mend that, goes on or ends."""

import asyncio
import signal
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from tests.integration.cluster import Cluster
from tests.integration.conftest import NewCluster
from tests.integration.judge import judge
from tests.integration.process import command, processor
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


async def test_a_topic_that_is_gone_is_named_and_one_made_anew_ends_the_process(
    real_bootstrap: str, new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(2)
    with processor(cluster.environment, tmp_path / "log") as running:
        running.wait_for("running from offset", times=2)
        await _delete(cluster, cluster.topics.results)
        await _fill(cluster, seed=2)
        gone = f"{cluster.topics.results}: no such topic any more; if it was deleted, the records"
        await asyncio.to_thread(running.wait_for, gone)
        assert running.alive
        await cluster.create()
        assert await asyncio.to_thread(running.wait, 15) == 2
    assert running.log.count(gone) == 1
    assert running.log.splitlines()[-1].startswith(f"live-orders: {_made_anew(cluster)}")
    assert "Traceback" not in running.log


@pytest.mark.parametrize("name", ["events", "live", "results", "progress", "claims"])
async def test_a_topic_that_is_made_anew_under_a_running_process_ends_it_within_seconds(
    real_bootstrap: str, new_cluster: NewCluster, tmp_path: Path, name: str
) -> None:
    cluster = await new_cluster(2)
    topic = f"{cluster.topics.prefix}{name}"
    with processor(cluster.environment, tmp_path / "log") as running:
        running.wait_for("running from offset", times=2)
        await _fill(cluster, seed=3)
        await cluster.drained()
        await _delete(cluster, topic)
        await cluster.create()
        assert await asyncio.to_thread(running.wait, 15) == 2
    assert running.log.splitlines()[-1].startswith(f"live-orders: {_made_anew(cluster, name)}")
    assert "Traceback" not in running.log


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("events", "events was deleted and made anew"),
        ("live", "live was deleted and made anew"),
        ("results", "results was deleted and made anew"),
        ("directory", "directory was deleted and made anew"),
        ("claims", "claims was deleted and made anew"),
        ("progress", "progress/0 does not say where the stream stands, but"),
    ],
)
async def test_a_topic_that_was_made_anew_while_nobody_ran_is_refused(
    real_bootstrap: str, new_cluster: NewCluster, tmp_path: Path, name: str, sentence: str
) -> None:
    cluster = await new_cluster(1)
    with processor(cluster.environment, tmp_path / "log") as running:
        await _fill(cluster, seed=4)
        await cluster.drained()
        running.signal(signal.SIGTERM)
        assert running.wait() == 0
    await _delete(cluster, f"{cluster.topics.prefix}{name}")
    await cluster.create()
    refused = await asyncio.to_thread(command, cluster.environment, "run")
    assert refused.returncode == 2
    assert f"live-orders: {cluster.topics.prefix}{sentence}" in refused.stderr
    assert refused.stderr.rstrip().endswith("start with a new --topic-prefix")
    assert "Traceback" not in refused.stderr


def _made_anew(cluster: Cluster, name: str = "results") -> str:
    return f"{cluster.topics.prefix}{name} was deleted and made anew"
