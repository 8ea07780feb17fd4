"""kill -9 while events are on their way between streams, and while commands wait."""

import asyncio
import json
import random
import signal
from datetime import datetime
from pathlib import Path

import pytest

from tests.integration.cluster import Cluster
from tests.integration.conftest import NewCluster
from tests.integration.directory_judge import judge_directory
from tests.integration.directory_traffic import directory_traffic
from tests.integration.process import processor
from tests.integration.traffic import encode
from tests.waiting import eventually

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

_STREAMS = 3
_EVENTS = 3_000
_KILLS = 7


async def _finish(cluster: Cluster, log: Path) -> None:
    with processor(cluster.environment, log) as last:
        await cluster.at_rest()
        last.signal(signal.SIGTERM)
        assert last.wait() == 0


async def _deadline_ms(cluster: Cluster, order_id: bytes) -> int:
    """Until when the one command for an id waits."""
    (headers,) = (
        dict(record.headers)
        for part in await cluster.read(cluster.topics.directory)
        for record in part
        if (record.key or b"").startswith(order_id + b" ")
    )
    deadline: str = json.loads(headers["live-orders.note"])["deadline"]
    return int(datetime.fromisoformat(deadline).timestamp() * 1000)


async def _two_wait(cluster: Cluster) -> bool:
    return await cluster.parked() == 2


async def test_one_kill_after_another_while_events_travel(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(_STREAMS)
    chance = random.Random(1)
    events = list(directory_traffic(1, _EVENTS, _STREAMS))
    share = _EVENTS // _KILLS
    progress = []
    for kill in range(_KILLS):
        part = events[kill * share : (kill + 1) * share]
        sending = asyncio.create_task(
            cluster.send_to(((to, encode(event)) for to, event in part), pause_s=0.02, every=20)
        )
        # Two, for within one process nothing travels.
        with (
            processor(cluster.environment, tmp_path / f"kill-{kill}-one") as one,
            processor(cluster.environment, tmp_path / f"kill-{kill}-two") as two,
        ):
            for running in (one, two):
                running.wait_for("streams assigned: ")
            if kill % 2:
                await cluster.progressed(kill * share + chance.randrange(1, share))
            # At whatever they are about by then: their start, a batch, a commit.
            for running in (one, two):
                await asyncio.sleep(chance.uniform(0.05, 0.6))
                running.kill()
        await sending
        progress.append(sum(max(offset, 0) for offset in await cluster.committed()))
        await cluster.forget_members()
    # The kills were spread over the work, not all before or after it.
    assert len(set(progress)) > _KILLS // 2, progress
    await cluster.send_to((to, encode(event)) for to, event in events[_KILLS * share :])
    await _finish(cluster, tmp_path / "last")
    counts = await judge_directory(cluster)
    assert min(counts[name] for name in ("forwarded", "revoked", "unknown_order")) > 3


async def test_a_waiting_command_outlives_its_process(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(_STREAMS)
    # One that will be answered by its deadline, and one that will meet its place.
    late = {"type": "cancel", "order_id": "late"}
    await cluster.send_to([(0, encode({"type": "cancel", "order_id": "never"})), (1, encode(late))])
    patient = {**cluster.environment, "LIVE_ORDERS_ROUTING_GRACE_MS": "6000"}
    with processor(patient, tmp_path / "first") as first:
        await eventually(lambda: _two_wait(cluster), timeout_s=30, what="two waiting commands")
        deadline_ms = await _deadline_ms(cluster, b"never")
        first.kill()
    await cluster.forget_members()
    place = {"type": "place", "order_id": "late", "user_id": "u", "currency": "BTC"}
    await cluster.send([("u", encode({**place, "amount": "1", "price": "2"}))])
    await _finish(cluster, tmp_path / "second")
    (answered_ms,) = (
        record.timestamp
        for part in await cluster.read(cluster.topics.results)
        for record in part
        if json.loads(record.value or b"").get("reason") == "unknown_order"
    )
    assert answered_ms >= deadline_ms
    counts = await judge_directory(cluster)
    assert (counts["forwarded"], counts["applied"], counts["unknown_order"]) == (2, 2, 1)
