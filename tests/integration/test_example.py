"""The example, end to end, through the command line."""

import json
import signal
from pathlib import Path

import pytest

from tests.integration.conftest import NewCluster
from tests.integration.judge import judge
from tests.integration.process import command, processor

pytestmark = pytest.mark.kafka

_STEPS = [
    '{"type":"place","order_id":"order1","user_id":"alice","currency":"BTC","amount":10,"price":50000.0}',
    '{"type":"place","order_id":"order2","user_id":"alice","currency":"ETH","amount":100,"price":3000.0}',
    '{"type":"place","order_id":"order3","user_id":"bob","currency":"BTC","amount":5,"price":51000.0}',
    '{"type":"place","order_id":"order4","user_id":"bob","currency":"ETH","amount":50,"price":3100.0}',
    '{"type":"pause","order_id":"order2","user_id":"alice"}',
    '{"type":"pause","order_id":"order3","user_id":"bob"}',
    '{"type":"cancel","order_id":"order2","user_id":"alice"}',
]


async def test_the_example_gives_the_lists_of_the_design(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(3)
    with processor(cluster.environment, tmp_path / "log") as running:
        running.wait_for("running from", times=3)
        # One at a time: which list comes of it must not depend on how streams are interleaved.
        for number, step in enumerate(_STEPS, start=1):
            sent = command(cluster.environment, "produce", stdin=step)
            assert (sent.returncode, sent.stderr) == (0, "1 event sent\n")
            await cluster.progressed(number)
        listed = command(cluster.environment, "list")
        assert listed.stdout.splitlines() == ["order1", "order3(paused)", "order4"]

        cancel_all = '{"type":"cancel_all_by_user","user_id":"alice"}'
        command(cluster.environment, "produce", stdin=cancel_all)
        await cluster.progressed(len(_STEPS) + 1)
        listed = command(cluster.environment, "list", "--json")
        assert [json.loads(line)["order_id"] for line in listed.stdout.splitlines()] == [
            "order3",
            "order4",
        ]
        answers = command(cluster.environment, "results", "--json").stdout.splitlines()
        assert [json.loads(one)["result"] for one in answers] == ["applied"] * 8
        assert [json.loads(one)["count"] for one in answers if "count" in one] == [1]
        running.signal(signal.SIGTERM)
        assert running.wait() == 0
    await judge(cluster)
