"""What a real run writes is what `schemas/` says, record by record, on every topic."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from processor.core.sharding import shard_of
from processor.wire.event import Refusal, parse_event
from tests.builders import encode, place_fields, user_of
from tests.contract_schemas import NAMES, strict_validator, validator
from tests.integration.cluster import Cluster, Record
from tests.integration.conftest import NewCluster
from tests.integration.process import command, processor

pytestmark = pytest.mark.kafka

_STREAMS = 3
_ALICE, _BOB = user_of(0, _STREAMS), user_of(1, _STREAMS)
_NEITHER = 2
_TWICE = next(one for one in map("twice-{}".format, count()) if shard_of(one, _STREAMS) == _NEITHER)

Told = tuple[str, Any]
"""The name of a schema, and what must be valid in it."""


async def test_every_record_of_a_run_is_valid(new_cluster: NewCluster, tmp_path: Path) -> None:
    cluster = await new_cluster(_STREAMS)
    environment = cluster.environment | {
        "LIVE_ORDERS_REORDER_WINDOW_MS": "200",
        "LIVE_ORDERS_REORDER_IDLE_MS": "500",
        "LIVE_ORDERS_ROUTING_GRACE_MS": "1500",
        "LIVE_ORDERS_SNAPSHOT_INTERVAL_MS": "200",
    }
    async with _everything(cluster) as records:
        # Each stream in a process of its own: within one, messages skip the queues.
        with ExitStack() as running:
            for number in range(_STREAMS):
                one = running.enter_context(processor(environment, tmp_path / f"log-{number}"))
                one.wait_for("running from")
            for step in _steps():
                await cluster.send_to(step)
                await cluster.at_rest()
            replayed = command(environment, "dead-letters", "replay", "--where", "reason=invalid")
            assert replayed.returncode == 0, replayed.stderr
            await cluster.at_rest()
    seen: dict[str, int] = defaultdict(int)
    for topic, record in records:
        for name, instance in _told(topic.removeprefix(cluster.topics.prefix), record):
            strict_validator(name).validate(instance)
            seen[name] += 1
    assert sorted(seen) == NAMES
    _check_answers([json.loads(one.value or b"") for topic, one in records if "results" in topic])


def _steps() -> Iterator[list[tuple[int, bytes]]]:
    """Events and their partitions, each step once the one before is all done."""
    # The shard of the id is in the third process: both are applied, and one of them is revoked.
    yield [
        (0, encode(**place_fields(_TWICE, _ALICE, event_id="e1"))),
        (1, encode(**place_fields(_TWICE, _BOB, event_id="e2"))),
    ]
    yield [
        (0, encode(**place_fields("注文2", _ALICE, amount=10, price=50000.0, schema=1))),
        (0, encode(**place_fields("o3", _ALICE))),
        (_NEITHER, encode(**place_fields("o4", _BOB))),
        (0, encode(type="pause", order_id="注文2", user_id=_ALICE)),
        (0, encode(type="resume", order_id="注文2", user_id=_ALICE)),
        (0, encode(type="pause", order_id="注文2", user_id=_ALICE, event_id="e3")),
        (0, encode(type="pause", order_id="注文2", user_id=_ALICE, event_id="e4")),
        (0, encode(type="pause", order_id="注文2", user_id=_ALICE, event_id="e4")),
        (0, b"{"),
        (0, encode(**place_fields("o5", _ALICE, amount="-1"))),
    ]
    yield [
        (_NEITHER, encode(type="pause", order_id="o3")),
        (_NEITHER, encode(type="cancel", order_id="nobody's")),
        (0, encode(type="cancel", order_id="注文2", user_id=_ALICE)),
    ]
    # The first waits for its time, the second does not.
    soon = datetime.now(UTC) + timedelta(seconds=5)
    yield [
        (0, encode(**place_fields("o6", _ALICE, occurred_at=soon.isoformat()))),
        (0, encode(**place_fields("o7", _ALICE))),
    ]
    yield [(0, encode(type="cancel_all_by_user", user_id=_ALICE))]


@asynccontextmanager
async def _everything(cluster: Cluster) -> AsyncIterator[list[tuple[str, Record]]]:
    """All committed records of all topics, read as they come: queues are soon deleted."""
    partitions = [
        TopicPartition(name, number) for name in cluster.topics.all for number in range(_STREAMS)
    ]
    found: list[tuple[str, Record]] = []
    async with AIOKafkaConsumer(
        bootstrap_servers=cluster.servers,
        enable_auto_commit=False,
        isolation_level="read_committed",
    ) as consumer:
        consumer.assign(partitions)
        await consumer.seek_to_beginning()

        async def read() -> None:
            while True:
                for where, records in (await consumer.getmany(timeout_ms=100)).items():
                    found.extend((where.topic, one) for one in records)

        reading = asyncio.create_task(read())
        try:
            yield found
        finally:
            # What was committed last is read too.
            await asyncio.sleep(1)
            reading.cancel()


def _told(topic: str, record: Record) -> Iterator[Told]:
    """What a record says, under the name of its schema, its key checked."""
    headers = {name: (text or b"").decode() for name, text in record.headers}
    key = None if record.key is None else record.key.decode()
    match topic:
        case "events":
            yield from _event(record)
        case "results":
            answer = _json(record)
            assert key == answer.get("user_id", answer.get("order_id"))
            yield "answer", answer
        case "live" if record.value is None:
            yield "live-order-removed-headers", headers
        case "live":
            yield "live-order", _json(record)
            assert key == _json(record)["order_id"]
        case "snapshots" if record.value is not None:
            slot, _, kind = (key or "").partition("/")
            assert slot in ("a", "b")
            yield f"snapshot-{kind if kind in ('begin', 'end') else 'chunk'}", _json(record)
        case "dead-letters" if record.value is None:
            assert key is None
            yield "replay-note-headers", headers
        case "dead-letters":
            yield "dead-letter-headers", headers
        case "progress" if record.value is not None:
            kind = _json(record)["type"]
            assert (key or "").partition("/")[0] == kind
            yield (
                {"finished": "finished-offsets", "ids": "event-ids"}.get(kind, kind),
                _json(record),
            )
        case "directory" | "claims" | "routed" if record.value is not None:
            yield from _directory(topic, key or "", record)
        case _:
            assert record.value is None, f"a record on {topic}"


def _event(record: Record) -> Iterator[Told]:
    if not isinstance(parse_event(record.value), Refusal):
        yield "event", _json(record)
    elif (record.value or b"").endswith(b"}"):
        assert not validator("event").is_valid(_json(record))


def _directory(topic: str, key: str, record: Record) -> Iterator[Told]:
    said = _json(record)
    if record.headers and record.headers[-1][0] == "live-orders.note":
        assert record.headers[-2][0] == "live-orders.key"
        yield "event", said
        said = json.loads(record.headers[-1][1] or b"")
    name = str(said.get("type", "owner")).replace("_", "-")
    assert (
        name
        in {
            "directory": ("owner", "parked-command"),
            "claims": ("claim", "release", "forwarded-command"),
            "routed": ("revoke", "routed-command", "routed-event"),
        }[topic]
    )
    assert (" " in key) == (name == "parked-command")
    yield name, said


def _json(record: Record) -> Any:
    return json.loads(record.value or b"")


def _check_answers(answers: list[dict[str, Any]]) -> None:
    """What the run is about must have come about."""
    assert {one["result"] for one in answers} == {"applied", "rejected", "forwarded"}
    assert {one["reason"] for one in answers if "reason" in one} >= {
        "duplicate_order", "unknown_order", "already_paused", "duplicate_event", "malformed",
        "invalid",
    }  # fmt: skip
    assert [one["order_id"] for one in answers if "revoked" in one] == [_TWICE]
    assert any(one.get("count") for one in answers)
