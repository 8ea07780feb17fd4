"""Events as a trading back end would send them, from a seed."""

import asyncio
import random
from collections.abc import Awaitable, Iterator

from aiokafka import AIOKafkaProducer

from processor.core.sharding import stream_of

Event = tuple[str, bytes]
"""The user, who is the key, and the value."""


def market(count: int, users: int, seed: int) -> Iterator[Event]:
    """A live market: about half places, the rest commands on live orders.

    Args:
        count: how many events.
        users: how many users.
        seed: the same seed gives the same events.
    """
    chance = random.Random(seed)
    live: list[tuple[str, str]] = []
    for number in range(count):
        draw = chance.random()
        if draw < 0.5 or not live:
            user, order_id = f"user-{chance.randrange(users):05}", f"order-{number:09}"
            live.append((user, order_id))
            yield user, _place(user, order_id, chance)
            continue
        at = chance.randrange(len(live))
        user, order_id = live[at]
        if draw < 0.65:
            kind = "pause"
        elif draw < 0.75:
            kind = "resume"
        else:
            kind = "cancel"
            live[at] = live[-1]
            live.pop()
        yield (
            user,
            b'{"type":"%b","order_id":"%b","user_id":"%b"}'
            % (
                kind.encode(),
                order_id.encode(),
                user.encode(),
            ),
        )


def places(count: int, users: int, seed: int) -> Iterator[Event]:
    """Nothing but places: as many live orders as events."""
    chance = random.Random(seed)
    for number in range(count):
        user = f"user-{number % users:05}"
        yield user, _place(user, f"order-{number:09}", chance)


def _place(user: str, order_id: str, chance: random.Random) -> bytes:
    return (
        b'{"type":"place","order_id":"%b","user_id":"%b","currency":"%b","amount":"%b","price":"%b"}'
        % (
            order_id.encode(),
            user.encode(),
            chance.choice((b"BTC", b"ETH", b"SOL", b"XRP")),
            b"%d.%02d" % (chance.randrange(1, 1000), chance.randrange(100)),
            b"%d.%01d" % (chance.randrange(1, 60000), chance.randrange(10)),
        )
    )


class Batches:
    """Events on their way to a topic, in a batch a stream that is sent when it is full."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, num_streams: int) -> None:
        self._producer = producer
        self._topic = topic
        self._open = [producer.create_batch() for _ in range(num_streams)]
        self._sent: list[Awaitable[object]] = []

    async def add(self, stream: int, key: bytes, value: bytes) -> None:
        """Add an event; waits only while the producer takes no more."""
        if self._open[stream].append(timestamp=None, key=key, value=value) is None:
            await self._send(stream)
            self._open[stream].append(timestamp=None, key=key, value=value)

    async def send(self, stream: int) -> None:
        """Send all that is open of a stream; what comes meanwhile, too."""
        while self._open[stream].record_count():
            await self._send(stream)

    async def acknowledged(self) -> None:
        """Wait until the broker has all that was sent.

        Raises:
            KafkaError: it has not taken something.
        """
        await asyncio.gather(*self._sent)

    async def _send(self, stream: int) -> None:
        batch, self._open[stream] = self._open[stream], self._producer.create_batch()
        self._sent.append(await self._producer.send_batch(batch, self._topic, partition=stream))


async def fill(
    bootstrap_servers: str, topic: str, num_streams: int, events: Iterator[Event]
) -> list[int]:
    """Write events to their users' streams; how many each stream got."""
    counts = [0] * num_streams
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers, acks="all", enable_idempotence=True
    ) as producer:
        batches = Batches(producer, topic, num_streams)
        for user, value in events:
            stream = stream_of(user, num_streams)
            counts[stream] += 1
            await batches.add(stream, user.encode(), value)
        for stream in range(num_streams):
            await batches.send(stream)
        await batches.acknowledged()
    return counts
