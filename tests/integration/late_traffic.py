"""Events with times of their own, written out of order; and what must come of them."""

import asyncio
import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaProducer

from tests.integration.cluster import Cluster
from tests.integration.traffic import encode, traffic
from tests.model import NaiveSystem

Event = dict[str, Any]
Answered = dict[int, dict[str, Any]]
"""The answers of a stream by offset, in the order in which they were given."""

_CHUNK = 200
_STEP_MS = 10
WINDOW_MS = _CHUNK * _STEP_MS


def shuffled_chunks(seed: int, count: int) -> Iterator[list[Event]]:
    """Traffic whose events come in any order within a window's time; a fifth of the times are ties.

    Args:
        seed: the same seed gives the same events.
        count: how many, a multiple of 200.
    """
    chance = random.Random(seed)
    begin = datetime.now(UTC) - timedelta(hours=1)
    events = [
        {**event, "occurred_at": (begin + timedelta(milliseconds=at_ms)).isoformat()}
        for number, event in enumerate(traffic(seed, count, users=60))
        for at_ms in [(number - (number % 5 == 4)) * _STEP_MS]
    ]
    for first in range(0, count, _CHUNK):
        chunk = events[first : first + _CHUNK]
        chance.shuffle(chunk)
        yield chunk


async def send_chunks(
    cluster: Cluster, chunks: Iterator[list[Event]], *, pause_s: float = 0.0
) -> None:
    """Write events by two producers at once; a chunk is there before the next one begins."""
    async with (
        AIOKafkaProducer(bootstrap_servers=cluster.servers) as one,
        AIOKafkaProducer(bootstrap_servers=cluster.servers) as two,
    ):
        for chunk in chunks:
            for number, event in enumerate(chunk):
                producer = (one, two)[number % 2]
                key = event["user_id"].encode()
                await producer.send(cluster.topics.events, encode(event), key=key)
            await asyncio.gather(one.flush(), two.flush())
            await asyncio.sleep(pause_s)


async def events_of(cluster: Cluster) -> list[list[tuple[int, Event]]]:
    """What stands in each partition, with its offset."""
    return [
        [(record.offset, json.loads(record.value or b"")) for record in part]
        for part in await cluster.read(cluster.topics.events)
    ]


async def answers_of(cluster: Cluster) -> list[Answered]:
    """The answers of each stream to its own partition's events; each event has one at most."""
    found: list[Answered] = []
    for part in await cluster.read(cluster.topics.results):
        told: Answered = {}
        for record in part:
            answer = json.loads(record.value or b"")
            offset = answer["input"]["offset"]
            assert offset not in told, f"two answers to {answer['input']}"
            kept = ("result", "reason", "count")
            told[offset] = {name: answer[name] for name in kept if name in answer}
        found.append(told)
    return found


async def tables_of(cluster: Cluster) -> list[list[Event]]:
    """The live orders of each stream in placement order, without the numbers of their changes."""
    tables = []
    for part in await cluster.read(cluster.topics.live):
        table: dict[bytes | None, Event] = {}
        for record in part:
            table.pop(record.key, None)
            if record.value is not None:
                table[record.key] = json.loads(record.value)
        ordered = sorted(table.values(), key=lambda order: order["placed_seq"])
        tables.append([_without_numbers(order) for order in ordered])
    return tables


def expected(
    stream: int, num_streams: int, events: Sequence[tuple[int, Event]]
) -> tuple[list[tuple[int, Event]], list[Event]]:
    """The answers, by offset, and the table that a naive model makes of events in this order."""
    model = NaiveSystem(num_streams)
    answers = [(offset, model.apply(stream, event)) for offset, event in events]
    return answers, [_without_numbers(order) for order in model.orders(stream)]


def _without_numbers(order: Event) -> Event:
    """Restores make the numbers jump; times are written in another way than they came."""
    times = ("placed_at", "updated_at")
    return {
        name: datetime.fromisoformat(value) if name in times else value
        for name, value in order.items()
        if name not in ("placed_seq", "seq")
    }
