"""How long what needs the directory takes on an idle system, one at a time."""

import asyncio
import json
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from confluent_kafka import Producer

from benchmarks import topics
from benchmarks.answers import read_answers
from benchmarks.processes import processor
from benchmarks.target import Target
from processor.app.topics import topics_of
from processor.core.sharding import stream_of

_COUNT = 200
_LIMIT_S = 30

Answer = dict[str, Any]


async def round_trips(target: Target, num_streams: int) -> dict[str, float]:
    """Commands by order id alone, and ids that are placed twice.

    An id-only cancel is written to another stream than its order's: milliseconds from there to its
    final answer. Two users place the same id: milliseconds from the second place to its final
    answer, which rejects it. Where it is answered applied first, also from reading that to reading
    the correction.
    """
    settings = topics.fresh_settings(target.servers, "round-trips")
    ours = topics_of(settings)
    try:
        await topics.prepare(settings, num_streams)
        async with processor(target, settings, num_streams) as child:
            await child.running()
            desk = _Desk(target.servers, ours.events, ours.results, num_streams)
            with closing(desk):
                figures = await asyncio.to_thread(_measure, desk)
            await child.stop()
    finally:
        await topics.delete(target.servers, settings.topic_prefix)
    return figures


class _Desk:
    """Where events are handed in and answers come out."""

    def __init__(self, servers: str, events: str, results: str, num_streams: int) -> None:
        self.num_streams = num_streams
        self._producer = Producer(
            {"bootstrap.servers": servers, "linger.ms": "0", "socket.nagle.disable": "true"}
        )
        self._answers = read_answers(servers, results, num_streams)
        self._topic = events

    def send(self, stream: int, **event: str) -> float:
        """Hand in an event; when that was, in seconds."""
        sent_s = time.monotonic()
        self._producer.produce(self._topic, json.dumps(event).encode(), partition=stream)
        self._producer.flush(_LIMIT_S)
        return sent_s

    def place(self, user: str, order_id: str) -> float:
        """Hand in a place."""
        order = {"currency": "BTC", "amount": "1", "price": "1"}
        stream = stream_of(user, self.num_streams)
        return self.send(stream, type="place", order_id=order_id, user_id=user, **order)

    def until(self, holds: Callable[[Answer], object]) -> tuple[float, Answer]:
        """Wait for an answer; when it was read, in seconds, and the answer."""
        while True:
            _, value = next(self._answers)
            read_s, answer = time.monotonic(), json.loads(value)
            if holds(answer):
                return read_s, answer

    def close(self) -> None:
        """Stop reading."""
        self._answers.close()


def _measure(desk: _Desk) -> dict[str, float]:
    cancels = [_cancel_ms(desk, number) for number in range(_COUNT)]
    doubles, revokes = [], []
    for number in range(_COUNT):
        double_ms, revoke_ms = _double_place_ms(desk, number)
        doubles.append(double_ms)
        if revoke_ms is not None:
            revokes.append(revoke_ms)
    return {
        **_percentiles("id_only_cancel", cancels),
        **_percentiles("double_place", doubles),
        "double_place_revoked_share": len(revokes) / _COUNT,
        **_percentiles("revoke", revokes),
    }


def _percentiles(name: str, times_ms: list[float]) -> dict[str, float]:
    if len(times_ms) < 2:
        return {}
    cuts = statistics.quantiles(times_ms, n=100)
    return {f"{name}_p50_ms": round(cuts[49], 1), f"{name}_p99_ms": round(cuts[98], 1)}


def _cancel_ms(desk: _Desk, number: int) -> float:
    user, order_id = f"user-{number}", f"order-{number}"
    desk.place(user, order_id)
    desk.until(lambda answer: answer["order_id"] == order_id)
    elsewhere = (stream_of(user, desk.num_streams) + 1) % desk.num_streams
    sent_s = desk.send(elsewhere, type="cancel", order_id=order_id)
    read_s, answer = desk.until(lambda answer: answer["result"] != "forwarded")
    if answer["result"] != "applied":
        raise SystemExit(f"a cancel was not applied: {answer}")
    return (read_s - sent_s) * 1000


def _double_place_ms(desk: _Desk, number: int) -> tuple[float, float | None]:
    order_id = f"twice-{number}"
    first = f"user-{number}"
    users = (f"other-{other}" for other in range(1000))
    second = next(
        user
        for user in users
        if stream_of(user, desk.num_streams) != stream_of(first, desk.num_streams)
    )
    desk.place(first, order_id)
    desk.until(lambda answer: answer["order_id"] == order_id)
    sent_s = desk.place(second, order_id)
    applied_s, answer = desk.until(lambda answer: answer["order_id"] == order_id)
    if answer["result"] == "rejected":
        return (applied_s - sent_s) * 1000, None
    revoked_s, _ = desk.until(lambda answer: answer.get("revoked"))
    return (revoked_s - sent_s) * 1000, (revoked_s - applied_s) * 1000
