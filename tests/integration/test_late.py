"""Order by event time on a real Kafka: shuffled events and kill -9, and a quiet stream."""

import asyncio
import itertools
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.integration.cluster import Cluster
from tests.integration.conftest import NewCluster
from tests.integration.late_traffic import (
    WINDOW_MS,
    answers_of,
    events_of,
    expected,
    send_chunks,
    shuffled_chunks,
    tables_of,
)
from tests.integration.process import processor
from tests.integration.traffic import encode
from tests.waiting import eventually

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

_STREAMS = 3
_EVENTS = 8_000


async def test_shuffled_events_and_kills_end_as_the_events_in_the_order_of_their_times(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(_STREAMS)
    environment = {
        **cluster.environment,
        "LIVE_ORDERS_REORDER_WINDOW_MS": str(WINDOW_MS),
        "LIVE_ORDERS_REORDER_IDLE_MS": "4000",
        "LIVE_ORDERS_LATE_EVENTS": "reject",
        "LIVE_ORDERS_MAX_BATCH_EVENTS": "100",
    }
    chunks = shuffled_chunks(7, _EVENTS)
    sending = asyncio.create_task(send_chunks(cluster, chunks, pause_s=0.1))
    with processor(environment, tmp_path / "one") as one:
        await cluster.progressed(_EVENTS // 8)
        one.kill()
    with processor(environment, tmp_path / "two") as two:
        await cluster.progressed(_EVENTS // 2)
        two.kill()
    assert sum(await cluster.committed()) < _EVENTS
    with processor(environment, tmp_path / "three"):
        await sending
        await cluster.at_rest()
    answers, tables = await answers_of(cluster), await tables_of(cluster)
    inversions = 0
    for stream, events in enumerate(await events_of(cluster)):
        in_order = sorted(events, key=lambda one: (_time(one[1]), one[0]))
        told, table = expected(stream, _STREAMS, in_order)
        assert list(answers[stream].items()) == told
        assert tables[stream] == table
        inversions += sum(a[0] > b[0] for a, b in itertools.pairwise(in_order))
    assert inversions > _EVENTS // 4


def _time(event: dict[str, str]) -> datetime:
    return datetime.fromisoformat(event["occurred_at"])


async def test_the_last_events_of_a_quiet_stream_come_out(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(1)
    environment = {
        **cluster.environment,
        "LIVE_ORDERS_REORDER_WINDOW_MS": str(WINDOW_MS),
    }
    with processor(environment, tmp_path / "log") as running:
        running.wait_for("running from")
        await send_chunks(cluster, shuffled_chunks(3, 200))
        await cluster.at_rest()
    (events,), (answers,) = await events_of(cluster), await answers_of(cluster)
    in_order = sorted(events, key=lambda one: (_time(one[1]), one[0]))
    assert list(answers.items()) == expected(0, 1, in_order)[0]


async def test_what_came_in_time_is_not_late_though_the_process_was_suspended(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(1)
    environment = {
        **cluster.environment,
        "LIVE_ORDERS_REORDER_WINDOW_MS": str(WINDOW_MS),
        "LIVE_ORDERS_REORDER_IDLE_MS": str(WINDOW_MS),
        "LIVE_ORDERS_LATE_EVENTS": "reject",
    }
    with processor(environment, tmp_path / "log") as running:
        running.wait_for("running from")
        now = datetime.now(UTC)
        newer, older = (_place(f"o{n}", now - timedelta(seconds=n)) for n in range(2))
        await cluster.send([("u", newer)])
        await eventually(lambda: _has_read(cluster, 1), what="the first event was read")
        running.signal(signal.SIGSTOP)
        # Longer than the fetch that is on: the process knows of nothing more when it wakes up.
        await asyncio.sleep(1)
        await cluster.send([("u", older)])
        await asyncio.sleep(2 * WINDOW_MS / 1000)
        running.signal(signal.SIGCONT)
        await cluster.at_rest()
    (answers,) = await answers_of(cluster)
    assert list(answers.items()) == [(1, {"result": "applied"}), (0, {"result": "applied"})]


async def _has_read(cluster: Cluster, offset: int) -> bool:
    """Whether events up to an offset were read; they may wait."""
    said = [one for one in await cluster.positions() if one is not None]
    return any(one["reorder"]["events_read"] >= offset for one in said)


def _place(order_id: str, at: datetime) -> bytes:
    terms = {"currency": "BTC", "amount": "1", "price": "2", "occurred_at": at.isoformat()}
    return encode({"type": "place", "order_id": order_id, "user_id": "u", **terms})
