"""``python -m benchmarks.load PLAN``: a steady load, at times that do not depend on the answers.

Prints how many places were sent in the time that is measured, and how far it was behind its plan.
"""

import asyncio
import itertools
import json
import random
import sys
import time
from collections import deque
from collections.abc import Iterator

import uvloop
from aiokafka import AIOKafkaProducer

from benchmarks.events import Batches
from benchmarks.measured import percentile_ms
from benchmarks.plan import END_ID, Plan, order_id
from processor.core.sharding import stream_of

# Up to here each event is sent by itself; a faster source sends what has come in some 5 ms.
_LONE_EVENTS_PER_S = 1_000
_BEATS_PER_S = 200
_USERS = 200
_LIVE = 500
_BATCH_BYTES = 256 * 1024
_PLACE = b'{"type":"place"'


class Desk:
    """The orders of one stream: places until there are `_LIVE`, then a cancel for each place."""

    def __init__(self, stream: int, num_streams: int) -> None:
        self._users = _users_of(stream, num_streams)
        self._live: deque[tuple[bytes, bytes]] = deque()

    def next_event(self, sent_ns: int, number: int) -> tuple[bytes, bytes]:
        """The next event: the user, and the value."""
        if len(self._live) < _LIVE:
            user, order = self._users[number % _USERS], order_id(sent_ns, number)
            self._live.append((user, order))
            return user, _place(user, order)
        user, order = self._live.popleft()
        return user, b'{"type":"cancel","order_id":"%b","user_id":"%b"}' % (order, user)

    def last_event(self, stream: int) -> tuple[bytes, bytes]:
        """A place that ends the load."""
        return self._users[0], _place(self._users[0], b"%b%d" % (END_ID, stream))


def _users_of(stream: int, num_streams: int) -> list[bytes]:
    found: list[bytes] = []
    number = 0
    while len(found) < _USERS:
        user = f"user-{number:06}"
        number += 1
        if stream_of(user, num_streams) == stream:
            found.append(user.encode())
    return found


def _place(user: bytes, order: bytes) -> bytes:
    return _PLACE + (
        b',"order_id":"%b","user_id":"%b","currency":"BTC","amount":"1.5","price":"50000"}'
        % (order, user)
    )


def beats(plan: Plan, chance: random.Random) -> Iterator[tuple[int, int]]:
    """When how many events are due, in nanoseconds.

    Not at a fixed beat: it could fall in with the processor's.
    """
    lone = plan.events_per_s <= _LONE_EVENTS_PER_S
    events = 1 if lone else plan.events_per_s // _BEATS_PER_S
    due_ns = float(plan.begin_ns)
    while due_ns < plan.until_ns:
        yield round(due_ns), events
        due_ns += chance.uniform(0, 2) * 1e9 * events / plan.events_per_s


class Sender:
    """Sends events at once; what comes while a stream's last batch is being sent goes together.

    A producer that lingers 0 ms does the same, at a higher price for each event.
    """

    def __init__(self, batches: Batches, num_streams: int) -> None:
        self._batches = batches
        self._sending: list[asyncio.Task[None] | None] = [None] * num_streams

    async def hand_over(self, stream: int, key: bytes, value: bytes) -> None:
        """Take an event; waits only while the producer takes no more."""
        await self._batches.add(stream, key, value)
        sending = self._sending[stream]
        if sending is None or sending.done():
            self._sending[stream] = asyncio.create_task(self._batches.send(stream))

    async def finish(self) -> None:
        """Wait until the broker has everything."""
        await asyncio.gather(*filter(None, self._sending))
        await self._batches.acknowledged()


async def _send(plan: Plan, sender: Sender) -> dict[str, float]:
    desks = [Desk(stream, plan.num_streams) for stream in range(plan.num_streams)]
    numbers = itertools.count()
    places = 0
    late_ns: list[int] = []
    for due_ns, events in beats(plan, random.Random(1)):
        await asyncio.sleep(max(due_ns - time.monotonic_ns(), 0) / 1e9)
        for number in itertools.islice(numbers, events):
            stream = number % plan.num_streams
            sent_ns = time.monotonic_ns()
            user, value = desks[stream].next_event(sent_ns, number)
            await sender.hand_over(stream, user, value)
            places += sent_ns >= plan.from_ns and value.startswith(_PLACE)
        if due_ns >= plan.from_ns:
            late_ns.append(time.monotonic_ns() - due_ns)
    for stream, desk in enumerate(desks):
        await sender.hand_over(stream, *desk.last_event(stream))
    await sender.finish()
    return {"places": places, "late_p99_ms": percentile_ms(late_ns, 0.99)}


async def _main(plan: Plan) -> None:
    async with AIOKafkaProducer(
        bootstrap_servers=plan.servers, acks="all", linger_ms=0, max_batch_size=_BATCH_BYTES
    ) as producer:
        batches = Batches(producer, plan.events, plan.num_streams)
        print(json.dumps(await _send(plan, Sender(batches, plan.num_streams))))


if __name__ == "__main__":
    uvloop.run(_main(Plan.parse(sys.argv[1])))
