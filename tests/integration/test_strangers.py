"""What strangers write is shown, and none of it acts on a terminal."""

import json

import pytest
from aiokafka import AIOKafkaProducer

from tests.integration.cluster import Cluster
from tests.integration.conftest import NewCluster
from tests.integration.process import command
from tests.integration.terminal import CTRL_C, terminal

pytestmark = pytest.mark.kafka

_EVIL = "\x1b]0;owned\x07\x1b[2J\u202e\x9b31m\r"
_ORDER = {
    "schema": 1, "order_id": _EVIL, "user_id": _EVIL, "currency": "BTC", "amount": "1",
    "price": "1", "status": "active", "placed_at": "2026-01-01T00:00:00.000Z",
    "updated_at": "2026-01-01T00:00:00.000Z", "stream": 0, "placed_seq": 1, "seq": 1,
}  # fmt: skip
_ANSWER = {
    "schema": 1, "input": {"partition": 0, "offset": 0}, "type": "place", "order_id": _EVIL,
    "user_id": _EVIL, "event_id": _EVIL, "result": "rejected", "reason": "unknown_order",
}  # fmt: skip


async def strange(new_cluster: NewCluster) -> Cluster:
    """A cluster in whose topics strangers have written."""
    cluster = await new_cluster(1)
    topics = cluster.topics
    evil = _EVIL.encode()
    async with AIOKafkaProducer(bootstrap_servers=cluster.servers) as producer:
        for ascii_only in (True, False):
            for topic, record in ((topics.live, _ORDER), (topics.results, _ANSWER)):
                value = json.dumps(record, ensure_ascii=ascii_only).encode()
                await producer.send_and_wait(topic, value, key=evil)
        for value in (evil, evil + b"\xff", json.dumps({_EVIL: _EVIL}).encode()):
            await producer.send_and_wait(
                topics.dead_letters, value, key=evil, headers=[(_EVIL, evil), ("x", b"\xff\x1b")]
            )
    return cluster


_COMMANDS = [
    ("list",),
    ("list", "--json"),
    ("results",),
    ("results", "--json"),
    ("results", "--user", _EVIL),
    ("dead-letters", "list"),
    ("dead-letters", "list", "--json"),
    ("dead-letters", "list", "--where", f"key={_EVIL}"),
    ("dead-letters", "list", "--where", _EVIL),
    ("dead-letters", "show", "0/0"),
    ("dead-letters", "show", "0/1"),
    ("dead-letters", "show", "0/2"),
    ("dead-letters", "show", _EVIL),
    ("dead-letters", "replay", "--dry-run"),
]


async def test_nothing_in_ids_keys_values_and_headers_acts(new_cluster: NewCluster) -> None:
    cluster = await strange(new_cluster)
    for arguments in _COMMANDS:
        shown = command(cluster.environment, *arguments)
        said = shown.stdout + shown.stderr
        assert said, arguments
        assert "Traceback" not in said, arguments
        assert all(line.isprintable() for line in said.split("\n")), arguments
        assert "owned" in said or "--dry-run" in arguments, arguments


@pytest.mark.parametrize("arguments", [("watch",), ("results", "--follow")])
async def test_nor_does_it_on_a_terminal(
    new_cluster: NewCluster, arguments: tuple[str, ...]
) -> None:
    cluster = await strange(new_cluster)
    with terminal({**cluster.environment, "NO_COLOR": "1"}, *arguments) as running:
        running.wait_for("owned")
        running.type(CTRL_C)
        running.wait()
    for acts in ("\x1b]0", "\x1b[2J\x1b", "\u202e", "\x07", "\x9b"):
        assert acts not in running.shown
