"""kill -9 at bad moments: every event takes effect exactly once all the same."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.integration.cluster import Cluster
from tests.integration.conftest import NewCluster
from tests.integration.judge import check_snapshots, judge
from tests.integration.process import processor
from tests.integration.traffic import encode, traffic

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

_EVENTS = 50_000


async def _fill(cluster: Cluster, seed: int, count: int, *, pause_s: float = 0) -> None:
    await cluster.send(
        ((event["user_id"], encode(event)) for event in traffic(seed, count)), pause_s=pause_s
    )


@pytest.mark.parametrize("num_streams", [7, 8])
async def test_kill_9_in_the_middle_of_50_000_events_and_a_restart(
    new_cluster: NewCluster, tmp_path: Path, num_streams: int
) -> None:
    cluster = await new_cluster(num_streams)
    await _fill(cluster, seed=num_streams, count=_EVENTS)
    with processor(cluster.environment, tmp_path / "first") as first:
        await cluster.progressed(_EVENTS // 4)
        first.kill()
    assert sum(await cluster.committed()) < _EVENTS
    with processor(cluster.environment, tmp_path / "second") as second:
        await cluster.drained()
        second.signal(signal.SIGTERM)
        assert second.wait() == 0
    await judge(cluster)
    await check_snapshots(cluster)


async def test_kills_at_every_stage_of_the_very_first_start(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(3)
    await _fill(cluster, seed=3, count=2_000)
    # Spread over fencing, the first transaction and the first batches; the log only says when
    # the tasks begin.
    for attempt, delay_s in enumerate((0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2)):
        environment = {**cluster.environment, "LIVE_ORDERS_SESSION_TIMEOUT_MS": "6000"}
        with processor(environment, tmp_path / f"attempt-{attempt}") as running:
            running.wait_for("streams assigned: 0")
            await asyncio.sleep(delay_s)
            running.kill()
    with processor(cluster.environment, tmp_path / "last") as last:
        last.wait_for("running from")  # an attempt may have committed everything before
        await cluster.drained()
        last.signal(signal.SIGTERM)
        assert last.wait() == 0
    await judge(cluster)


async def test_two_processes_and_rebalances_in_mid_stream(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(7)
    sending = asyncio.create_task(_fill(cluster, seed=11, count=_EVENTS, pause_s=0.2))
    with (
        processor(cluster.environment, tmp_path / "one") as one,
        processor(cluster.environment, tmp_path / "two") as two,
    ):
        await cluster.progressed(10_000)
        with processor(cluster.environment, tmp_path / "three") as three:
            three.wait_for("running from")
            await cluster.progressed(20_000)
            two.kill()
            await cluster.progressed(30_000)
            three.signal(signal.SIGTERM)
            assert three.wait(10) == 0
        await sending
        await cluster.drained()
        one.signal(signal.SIGINT)
        assert one.wait(10) == 0
    await judge(cluster)
    await check_snapshots(cluster)


async def test_a_process_that_was_asleep_writes_nothing_more_and_comes_back(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(3)
    sending = asyncio.create_task(_fill(cluster, seed=5, count=30_000, pause_s=0.5))
    with processor(cluster.environment, tmp_path / "sleeper") as sleeper:
        await cluster.progressed(3_000)
        sleeper.signal(signal.SIGSTOP)
        with processor(cluster.environment, tmp_path / "heir") as heir:
            heir.wait_for("running from", times=3)
            await cluster.progressed(10_000)
            sleeper.signal(signal.SIGCONT)
            # The group takes it in again, and it gets a share.
            sleeper.wait_for("streams assigned", times=2)
            await sending
            await cluster.drained()
            for one in (heir, sleeper):
                one.signal(signal.SIGTERM)
                assert one.wait(10) == 0
    await judge(cluster)
