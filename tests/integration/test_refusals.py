"""What the command line refuses: one sentence with the remedy, exit code 2 or 3, no traceback."""

import signal
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition

from tests.integration.cluster import Cluster
from tests.integration.conftest import NewCluster
from tests.integration.process import command, processor

pytestmark = pytest.mark.kafka

_PLACE = (
    '{"type":"place","order_id":"%s","user_id":"u","currency":"BTC","amount":"1","price":"2"}\n'
)


async def _run_a_little(cluster: Cluster, log: Path) -> None:
    await cluster.send([("u", (_PLACE % "o1").encode())])
    with processor(cluster.environment, log) as running:
        await cluster.drained()
        running.signal(signal.SIGTERM)
        assert running.wait() == 0


async def test_run_without_topics_names_the_command_that_makes_them(bootstrap: str) -> None:
    refused = command(Cluster(bootstrap, 3).environment, "run")
    assert refused.returncode == 2
    assert "live-orders topics create" in refused.stderr
    assert "Traceback" not in refused.stderr


async def test_run_with_another_app_id_on_topics_in_use_is_refused(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(1)
    await _run_a_little(cluster, tmp_path / "log")
    refused = command({**cluster.environment, "LIVE_ORDERS_APP_ID": "another"}, "run")
    assert refused.returncode == 2
    assert f"belong to the app {cluster.app_id}: run with --app-id" in refused.stderr
    assert "Traceback" not in refused.stderr
    # It was a member of a group of its own, and has left no offset in it.
    stranger = Cluster(cluster.servers, 1, "another", cluster.topics.prefix)
    assert await stranger.group_offsets() == [-1]


async def test_events_that_retention_removed_unread_are_named_and_can_be_accepted(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(1)
    await _run_a_little(cluster, tmp_path / "log")
    await cluster.send([("u", (_PLACE % f"late{n}").encode()) for n in range(3)])
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.servers)
    await admin.start()
    await admin.delete_records({TopicPartition(cluster.topics.events, 0): RecordsToDelete(3)})
    await admin.close()
    refused = command(cluster.environment, "run")
    assert refused.returncode == 2
    assert "events 1 to 2" in refused.stderr
    accepted = {**cluster.environment, "LIVE_ORDERS_ACCEPT_LOST_EVENTS": "true"}
    with processor(accepted, tmp_path / "accepted") as running:
        await cluster.reached([4])
        running.signal(signal.SIGTERM)
        assert running.wait() == 0
    assert command(cluster.environment, "list").stdout.splitlines() == ["o1", "late2"]


async def test_topics_that_have_grown_are_refused(new_cluster: NewCluster, tmp_path: Path) -> None:
    cluster = await new_cluster(1)
    await _run_a_little(cluster, tmp_path / "log")
    await cluster.grow(cluster.topics.all, 7)
    refused = command(cluster.environment, "run")
    assert refused.returncode == 2
    assert "had 1 partitions when the app first started and has 7 now" in refused.stderr


async def test_topics_check_refuses_partition_counts_that_differ(new_cluster: NewCluster) -> None:
    cluster = await new_cluster(2)
    await cluster.grow([cluster.topics.results], 3)
    refused = command(cluster.environment, "topics", "check")
    assert refused.returncode == 2
    assert f"{cluster.topics.results} has 3 partitions" in refused.stderr


async def test_produce_stops_at_the_first_bad_line_and_says_how_many_were_sent(
    new_cluster: NewCluster,
) -> None:
    cluster = await new_cluster(2)
    lines = "".join(_PLACE % f"o{number}" for number in range(16))
    bad = (_PLACE % "bad").replace('"1"', '"-1"')
    refused = command(cluster.environment, "produce", stdin=f"{lines}{bad}{lines}")
    assert refused.returncode == 2
    assert "line 17: amount: must be greater than 0" in refused.stderr
    assert "sent before it: 16 events" in refused.stderr
    assert sum(len(part) for part in await cluster.read(cluster.topics.events)) == 16


def test_a_broker_that_is_not_there_is_one_sentence_and_exit_code_3() -> None:
    refused = command({"LIVE_ORDERS_BOOTSTRAP_SERVERS": "127.0.0.1:1"}, "run")
    assert refused.returncode == 3
    assert refused.stderr.count("\n") == 1
    assert "127.0.0.1:1" in refused.stderr
