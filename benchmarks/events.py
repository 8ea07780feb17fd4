"""Events as a trading back end would send them, from a seed."""

import random
from collections.abc import Iterator

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


async def fill(
    bootstrap_servers: str, topic: str, num_streams: int, events: Iterator[Event]
) -> list[int]:
    """Write events to their users' streams; how many each stream got."""
    counts = [0] * num_streams
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers, acks="all", enable_idempotence=True
    )
    await producer.start()
    try:
        batches = [producer.create_batch() for _ in range(num_streams)]
        for user, value in events:
            stream = stream_of(user, num_streams)
            counts[stream] += 1
            key = user.encode()
            if batches[stream].append(timestamp=None, key=key, value=value) is None:
                await producer.send_batch(batches[stream], topic, partition=stream)
                batches[stream] = producer.create_batch()
                batches[stream].append(timestamp=None, key=key, value=value)
        for stream, batch in enumerate(batches):
            if batch.record_count():
                await producer.send_batch(batch, topic, partition=stream)
    finally:
        await producer.stop()
    return counts
