"""``list``, ``results`` and ``dead-letters list``: what they show of what there is."""

import json
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from processor.core.sharding import stream_of
from tests.integration.cluster import Cluster
from tests.integration.conftest import NewCluster
from tests.integration.process import command, processor, started
from tests.integration.terminal import terminal

pytestmark = pytest.mark.kafka

_STREAMS = 3


def place(order_id: str, user: str, second: int) -> bytes:
    event = {
        "type": "place",
        "order_id": order_id,
        "user_id": user,
        "currency": "BTC",
        "amount": "1.50",
        "price": "2",
        "occurred_at": f"2026-01-01T00:00:{second:02}Z",
    }
    return json.dumps(event).encode()


async def filled(new_cluster: NewCluster, log: Path) -> Cluster:
    """Three users' orders, one paused, in placement order o1 to o4; and one bad event."""
    cluster = await new_cluster(_STREAMS)
    await cluster.send(
        [
            ("alice", place("o1", "alice", 1)),
            ("bob", place("o2", "bob", 2)),
            ("carol", place("o4", "carol", 4)),
            ("alice", place("o3", "alice", 3)),
            ("alice", b'{"type":"pause","order_id":"o3","user_id":"alice"}'),
            ("bob", b'{"\x1b[31mtype":"\x9b\xff'),
        ]
    )
    with processor(cluster.environment, log):
        await cluster.drained()
    return cluster


def lines(cluster: Cluster, *arguments: str) -> list[str]:
    done = command(cluster.environment, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


async def test_lists_of_all_of_a_user_and_of_a_stream(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await filled(new_cluster, tmp_path / "log")
    assert lines(cluster, "list") == ["o1", "o2", "o3(paused)", "o4"]
    assert lines(cluster, "list", "--user", "alice") == ["o1", "o3(paused)"]
    assert lines(cluster, "list", "--user", "nobody") == []
    stream = stream_of("bob", _STREAMS)
    listed = lines(cluster, "list", "--stream", str(stream), "--json")
    assert {json.loads(line)["stream"] for line in listed} == {stream}
    assert "o2" in [json.loads(line)["order_id"] for line in listed]


async def test_a_list_on_a_terminal_is_a_table_with_colours_unless_no_color(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await filled(new_cluster, tmp_path / "log")
    with terminal(cluster.environment, "list") as coloured:
        assert coloured.wait() == 0
    assert "\x1b[1morder " in coloured.shown
    assert "o3(paused)" in coloured.shown
    assert "4 live orders, 1 paused" in coloured.shown
    with terminal({**cluster.environment, "NO_COLOR": "1"}, "list") as plain:
        assert plain.wait() == 0
    assert "\x1b[1m" not in plain.shown


async def test_a_stream_that_is_not_there_is_refused(new_cluster: NewCluster) -> None:
    cluster = await new_cluster(_STREAMS)
    refused = command(cluster.environment, "list", "--stream", "3")
    assert refused.returncode == 2
    assert refused.stderr == "live-orders: there is no stream 3: choose one of 0 to 2\n"


async def test_a_foreign_record_in_the_table_is_one_sentence(new_cluster: NewCluster) -> None:
    cluster = await new_cluster(1)
    async with AIOKafkaProducer(bootstrap_servers=cluster.servers) as producer:
        await producer.send_and_wait(cluster.topics.live, b"\x1b", key=b"x")
    refused = command(cluster.environment, "list")
    assert refused.returncode == 2
    assert f"{cluster.topics.live}/0 at offset 0 is not a record" in refused.stderr
    assert "Traceback" not in refused.stderr


async def test_results_of_a_user(new_cluster: NewCluster, tmp_path: Path) -> None:
    cluster = await filled(new_cluster, tmp_path / "log")
    assert len(lines(cluster, "results", "--json")) == 6
    told = [line.split(" ", 1)[1] for line in lines(cluster, "results", "--user", "alice")]
    assert told == [
        "place o1 of alice: applied",
        "place o3 of alice: applied",
        "pause o3 of alice: applied",
    ]


async def test_results_follow_goes_on_with_new_answers_as_they_are_committed(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await filled(new_cluster, tmp_path / "log")
    arguments = ("results", "--follow", "--user", "alice", "--json")
    with (
        started(cluster.environment, tmp_path / "followed", *arguments) as following,
        processor(cluster.environment, tmp_path / "again"),
    ):
        following.wait_for("\n", times=3)
        await cluster.send([("alice", b'{"type":"cancel","order_id":"o1","user_id":"alice"}')])
        following.wait_for("\n", times=4)
    last = json.loads(following.log.splitlines()[-1])
    assert (last["type"], last["order_id"], last["result"]) == ("cancel", "o1", "applied")


async def test_dead_letters_show_why_and_nothing_in_them_acts(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await filled(new_cluster, tmp_path / "log")
    stream = stream_of("bob", _STREAMS)
    (line,) = lines(cluster, "dead-letters", "list")
    assert line.startswith(f"{stream}/0 ")
    assert "malformed: " in line
    assert r'{"\x1b[31mtype":"\x9b\xff' in line
    (letter,) = map(json.loads, lines(cluster, "dead-letters", "list", "--json"))
    assert letter["source"]["topic"] == cluster.topics.events
    assert letter["reason"] == "malformed"
    assert "value_base64" in letter
    with terminal(cluster.environment, "dead-letters", "list") as shown:
        assert shown.wait() == 0
    assert "\x1b[31m" not in shown.shown
    assert "1 dead letter" in shown.shown
