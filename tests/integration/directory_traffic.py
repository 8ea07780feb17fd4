"""Order events for a system with the directory: without users, of taken ids, gone astray."""

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.model import partition_of


class Sent(NamedTuple):
    """An event, and the partition to write it to."""

    partition: int
    event: dict[str, Any]


def directory_traffic(
    seed: int, count: int, num_streams: int, *, users: int = 200
) -> Iterator[Sent]:
    """Random events of all kinds, with few live orders: users and ids meet often.

    A third of the commands name no user and are written anywhere; one place in twenty takes an id
    that another user has, or had just before; one event in twenty is written to another stream than
    its user's.

    Args:
        seed: the same seed gives the same events.
        count: how many.
        num_streams: how many partitions there are.
        users: how many users they come from.
    """
    chance = random.Random(seed)
    live: list[tuple[str, str]] = []
    for number in range(count):
        event = _event(number, chance, live, users)
        user = event.get("user_id")
        if user is None or chance.random() < 0.05:
            yield Sent(chance.randrange(num_streams), event)
        else:
            yield Sent(partition_of(user, num_streams), event)


def _event(
    number: int, chance: random.Random, live: list[tuple[str, str]], users: int
) -> dict[str, Any]:
    draw = chance.random()
    user = f"user-{chance.randrange(users)}"
    if draw < 0.45 or not live:
        order_id = f"order-{number}"
        if live and chance.random() < 0.05:
            order_id, _ = chance.choice(live)
        live.append((order_id, user))
        return _place(order_id, user, chance)
    if draw < 0.46:
        return {"type": "cancel_all_by_user", "user_id": user}
    at = chance.randrange(len(live))
    order_id, owner = live[at]
    kind = chance.choice(("pause", "resume", "cancel", "cancel", "cancel"))
    if kind == "cancel" and chance.random() < 0.9:
        live[at] = live[-1]
        live.pop()
    event = {"type": kind, "order_id": order_id}
    return event if chance.random() < 1 / 3 else {**event, "user_id": owner}


def _place(order_id: str, user: str, chance: random.Random) -> dict[str, Any]:
    return {
        "type": "place",
        "order_id": order_id,
        "user_id": user,
        "currency": chance.choice(("BTC", "ETH")),
        "amount": f"{chance.randrange(1, 1000)}.{chance.randrange(100):02}",
        "price": str(chance.randrange(1, 60_000)),
    }
