"""The directory on a real Kafka: one owner an id, and every command finished once."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.integration.cluster import Cluster
from tests.integration.conftest import NewCluster
from tests.integration.directory_judge import judge_directory
from tests.integration.directory_traffic import directory_traffic
from tests.integration.process import processor
from tests.integration.traffic import encode

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

_STREAMS = 5
_EVENTS = 20_000
_SEEN = ("forwarded", "revoked", "taken elsewhere", "unknown_order")


async def _fill(cluster: Cluster, seed: int, count: int, *, pause_s: float = 0) -> None:
    events = directory_traffic(seed, count, cluster.num_streams)
    await cluster.send_to(((to, encode(event)) for to, event in events), pause_s=pause_s)


async def test_two_processes_20_000_events_that_meet_everywhere_and_kills(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(_STREAMS)
    sending = asyncio.create_task(_fill(cluster, 31, _EVENTS, pause_s=0.5))
    with processor(cluster.environment, tmp_path / "one") as one:
        one.wait_for("running from", times=_STREAMS)
        with processor(cluster.environment, tmp_path / "two") as two:
            two.wait_for("running from")
            await cluster.progressed(_EVENTS // 4)
            one.kill()
            await cluster.progressed(_EVENTS // 2)
            with processor(cluster.environment, tmp_path / "three") as three:
                three.wait_for("running from")
                await cluster.progressed(_EVENTS * 3 // 4)
                two.kill()
                await sending
                await cluster.at_rest()
                three.signal(signal.SIGTERM)
                assert three.wait(10) == 0
    counts = await judge_directory(cluster)
    # What the test is about must have come about.
    assert min(counts[name] for name in _SEEN) > 20
