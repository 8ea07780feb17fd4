"""The broker goes away and comes back: the process stays, and nothing is lost or doubled."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.integration.broker import own_kafka
from tests.integration.cluster import Cluster
from tests.integration.judge import judge
from tests.integration.process import processor
from tests.integration.traffic import encode, traffic

pytestmark = [pytest.mark.kafka, pytest.mark.hurts, pytest.mark.timeout(300)]


async def _fill(cluster: Cluster, seed: int, count: int) -> None:
    await cluster.send((event["user_id"], encode(event)) for event in traffic(seed, count))


@pytest.mark.parametrize("how", ["kill", "stop"])
async def test_processing_resumes_without_a_restart(
    real_bootstrap: str, tmp_path: Path, how: str
) -> None:
    with own_kafka() as kafka:
        cluster = Cluster(kafka.servers, 4)
        await cluster.create()
        await _fill(cluster, seed=1, count=60_000)
        with processor(cluster.environment, tmp_path / "log") as running:
            await cluster.progressed(5_000)
            await asyncio.to_thread(getattr(kafka, how))
            assert running.alive
            await asyncio.to_thread(kafka.start)
            await cluster.drained()
            assert running.alive
            running.signal(signal.SIGTERM)
            assert running.wait(10) == 0
        assert "Traceback" not in running.log
        await judge(cluster)


async def test_sigterm_ends_the_process_in_time_while_the_broker_is_away(
    real_bootstrap: str, tmp_path: Path
) -> None:
    with own_kafka() as kafka:
        cluster = Cluster(kafka.servers, 4)
        await cluster.create()
        await _fill(cluster, seed=2, count=30_000)
        with processor(cluster.environment, tmp_path / "log") as running:
            await cluster.progressed(2_000)
            await asyncio.to_thread(kafka.kill)
            running.signal(signal.SIGTERM)
            assert running.wait(10) == 0
        await asyncio.to_thread(kafka.start)
        with processor(cluster.environment, tmp_path / "after") as running:
            await cluster.drained()
            running.signal(signal.SIGTERM)
            assert running.wait(10) == 0
        await judge(cluster)
