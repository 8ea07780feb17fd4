"""Repeated events on a real Kafka: known after a kill -9 and after a rebalance."""

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cluster import Cluster
from tests.integration.conftest import NewCluster
from tests.integration.late_traffic import answers_of, events_of, expected, tables_of
from tests.integration.process import processor
from tests.integration.traffic import encode, traffic

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

_STREAMS = 3
_EVENTS = 3_000
REPEAT = {"result": "rejected", "reason": "duplicate_event"}


def _events() -> list[dict[str, Any]]:
    """Traffic, and in the end what a client retries who has seen no answer."""
    user, terms = "user-1", {"currency": "BTC", "amount": "1", "price": "2"}
    last: list[dict[str, Any]] = [
        {"type": "place", "order_id": "before", "user_id": user, **terms},
        {"type": "cancel_all_by_user", "user_id": user},
        {"type": "place", "order_id": "after", "user_id": user, **terms},
    ]
    events = [*traffic(17, _EVENTS - len(last)), *last]
    at = "2026-01-01T00:00:00Z"
    return [
        {**event, "event_id": f"e-{number}", "occurred_at": at}
        for number, event in enumerate(events)
    ]


async def _send(cluster: Cluster) -> None:
    await cluster.send((event["user_id"], encode(event)) for event in _events())


async def test_events_that_are_sent_again_after_a_kill_and_a_rebalance_change_nothing(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(_STREAMS)
    environment = {**cluster.environment, "LIVE_ORDERS_MAX_BATCH_EVENTS": "20"}
    await _send(cluster)
    firsts = [len(part) for part in await events_of(cluster)]
    with processor(environment, tmp_path / "one") as one:
        await cluster.progressed(_EVENTS // 10)
        one.kill()
    assert sum(await cluster.committed()) < _EVENTS
    await _send(cluster)
    with processor(environment, tmp_path / "two") as two:
        await cluster.at_rest()
        tables = await tables_of(cluster)
        with processor(environment, tmp_path / "three") as three:
            three.wait_for("running from")
            two.signal(signal.SIGTERM)
            assert two.wait() == 0
            await _send(cluster)
            await cluster.at_rest()
    answers = await answers_of(cluster)
    for stream, events in enumerate(await events_of(cluster)):
        first = events[: firsts[stream]]
        told, table = expected(stream, _STREAMS, first)
        assert [(offset, answers[stream].get(offset)) for offset, _ in first] == told
        repeats = [answers[stream].get(offset) for offset, _ in events[firsts[stream] :]]
        assert repeats == [REPEAT] * (2 * firsts[stream])
        assert tables[stream] == table
    assert await tables_of(cluster) == tables
    live = {order["order_id"] for table in tables for order in table}
    assert "after" in live
    assert "before" not in live
