"""``watch``: the lists, then each committed change once, through rebalances and restarts."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from processor.core.sharding import stream_of
from tests.integration.broker import own_kafka
from tests.integration.cluster import Cluster
from tests.integration.conftest import NewCluster
from tests.integration.process import Running, command, processor, started
from tests.integration.terminal import CTRL_C, terminal
from tests.integration.traffic import encode, traffic
from tests.waiting import eventually

pytestmark = pytest.mark.kafka


def event(kind: str, user: str, order_id: str | None = None) -> tuple[str, bytes]:
    fields: dict[str, Any] = {"type": kind, "user_id": user}
    if order_id is not None:
        fields["order_id"] = order_id
    if kind == "place":
        fields |= {"currency": "BTC", "amount": "1.50", "price": "2"}
    return user, json.dumps(fields).encode()


def told(watching: Running) -> list[dict[str, Any]]:
    """The changes that are written so far, whole lines only."""
    lines = watching.log.split("\n")[:-1]
    return [json.loads(line) for line in lines if line.startswith("{")]


def kinds(watching: Running) -> list[tuple[str, str]]:
    return [(one["change"], one["order_id"]) for one in told(watching)]


async def tells(watching: Running, changes: int) -> None:
    await eventually(lambda: len(told(watching)) >= changes, timeout_s=60)


async def test_the_list_comes_first_and_then_each_change_as_it_is_committed(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(2)
    with processor(cluster.environment, tmp_path / "log"):
        await cluster.send([event("place", "alice", "o1")])
        await cluster.drained()
        with started(cluster.environment, tmp_path / "watch", "watch", "--json") as watching:
            await tells(watching, 1)
            steps = [
                event("pause", "alice", "o1"),
                event("resume", "alice", "o1"),
                event("place", "alice", "o2"),
                event("cancel", "alice", "o1"),
                event("cancel_all_by_user", "alice"),
            ]
            await cluster.send(steps)
            await tells(watching, 6)
    assert kinds(watching) == [
        ("live", "o1"),
        ("paused", "o1"),
        ("resumed", "o1"),
        ("placed", "o2"),
        ("removed", "o1"),
        ("removed", "o2"),
    ]


async def test_a_user_and_a_stream_can_be_watched_alone(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(2)
    users = [next(f"u{n}" for n in range(99) if stream_of(f"u{n}", 2) == s) for s in (0, 1)]
    user = ("watch", "--json", "--user", users[0])
    stream = ("watch", "--json", "--stream", "1")
    with (
        processor(cluster.environment, tmp_path / "log"),
        started(cluster.environment, tmp_path / "user", *user) as of_user,
        started(cluster.environment, tmp_path / "stream", *stream) as of_stream,
    ):
        await cluster.send([event("place", users[0], "o1"), event("place", users[1], "o2")])
        await tells(of_user, 1)
        await tells(of_stream, 1)
    assert [one["order_id"] for one in told(of_user)] == ["o1"]
    assert [one["order_id"] for one in told(of_stream)] == ["o2"]


async def test_what_is_aborted_is_not_told(new_cluster: NewCluster, tmp_path: Path) -> None:
    cluster = await new_cluster(1)
    with processor(cluster.environment, tmp_path / "log"):
        await cluster.send([event("place", "alice", "o1")])
        await cluster.drained()
        with started(cluster.environment, tmp_path / "watch", "watch", "--json") as watching:
            await tells(watching, 1)
            async with AIOKafkaProducer(
                bootstrap_servers=cluster.servers, transactional_id=f"{cluster.app_id}-abort"
            ) as producer:
                await producer.begin_transaction()
                await producer.send_and_wait(
                    cluster.topics.live, b"not ours", key=b"x", partition=0
                )
                await producer.abort_transaction()
            await cluster.send([event("place", "alice", "o2")])
            await tells(watching, 2)
            assert watching.alive
    assert kinds(watching) == [("live", "o1"), ("placed", "o2")]


async def test_every_change_is_told_once_while_processors_come_and_are_killed(
    new_cluster: NewCluster, real_kafka: str | None, tmp_path: Path
) -> None:
    cluster = await new_cluster(4)
    last = [
        next(event("place", u, u) for u in (f"last-{n}" for n in range(99)) if stream_of(u, 4) == s)
        for s in range(4)
    ]
    events = [(one["user_id"], encode(one)) for one in traffic(seed=7, count=6_000)]
    with started(cluster.environment, tmp_path / "watch", "watch", "--json") as watching:
        await cluster.send(events)
        with processor(cluster.environment, tmp_path / "one") as first:
            await cluster.progressed(1_000)
            with processor(cluster.environment, tmp_path / "two"):
                first.signal(signal.SIGKILL)
                await cluster.send(last)
                await cluster.drained()
        await eventually(
            lambda: {user for user, _ in last} <= {one["order_id"] for one in told(watching)},
            timeout_s=60,
        )
        written = await cluster.read(cluster.topics.live)
    for stream, records in enumerate(written):
        found = [one["seq"] for one in told(watching) if one["stream"] == stream and "seq" in one]
        assert found == sorted(set(found))
        there = {json.loads(record.value)["seq"] for record in records if record.value}
        assert there <= set(found)
        # The embedded broker compacts at any time, also what nobody has read yet.
        assert real_kafka is None or len(found) == len(records)


@pytest.mark.hurts
@pytest.mark.timeout(300)
async def test_when_the_broker_was_away_it_says_so_and_goes_on_where_it_was(
    real_bootstrap: str, tmp_path: Path
) -> None:
    with own_kafka() as kafka:
        cluster = Cluster(kafka.servers, 2)
        await cluster.create()
        with (
            processor(cluster.environment, tmp_path / "log"),
            started(cluster.environment, tmp_path / "watch", "watch", "--json") as watching,
        ):
            await cluster.send([event("place", "alice", "o1")])
            await tells(watching, 1)
            await asyncio.to_thread(kafka.kill)
            watching.wait_for("does not answer")
            await asyncio.to_thread(kafka.start)
            watching.wait_for("answers again; nothing was missed")
            await cluster.send([event("pause", "alice", "o1")])
            await tells(watching, 2)
            assert watching.log.count("does not answer") == 1
        assert kinds(watching) == [("placed", "o1"), ("paused", "o1")]


async def test_on_a_terminal_a_change_is_a_line_and_ctrl_c_ends_without_a_traceback(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(2)
    with (
        processor(cluster.environment, tmp_path / "log"),
        terminal(cluster.environment, "watch") as watching,
    ):
        watching.wait_for("watching for changes")
        await cluster.send([event("place", "alice", "order1"), event("pause", "alice", "order1")])
        watching.wait_for("order1(paused)")
        watching.type(CTRL_C)
        assert watching.wait() == 130
    assert "committed at (UTC)" in watching.shown
    assert "\x1b[33mpaused " in watching.shown
    assert "Traceback" not in watching.shown


async def test_it_ends_when_nobody_reads_its_pipe_any_more(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(1)
    with processor(cluster.environment, tmp_path / "log"):
        await cluster.send([event("place", "alice", "o1")])
        await cluster.drained()
    done = command(cluster.environment, "watch", through="head -n 1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "o1" in done.stdout
