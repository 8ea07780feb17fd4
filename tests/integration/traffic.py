"""Order events for tests, from a seed, with few enough live orders for a naive model."""

import json
import random
from collections.abc import Iterator
from typing import Any

Event = dict[str, Any]


def traffic(seed: int, count: int, *, users: int = 200) -> Iterator[Event]:
    """Random events of all kinds: mostly sensible, some that the rules reject.

    Args:
        seed: the same seed gives the same events.
        count: how many.
        users: how many users they come from.
    """
    chance = random.Random(seed)
    live: list[tuple[str, str]] = []
    for number in range(count):
        draw = chance.random()
        user = f"user-{chance.randrange(users)}"
        if draw < 0.4 or not live:
            order_id = f"order-{number}"
            live.append((order_id, user))
            yield _place(order_id, user, chance)
        elif draw < 0.42:
            # A second place of an id that was used before: a duplicate if it is still live.
            order_id, owner = chance.choice(live)
            yield _place(order_id, owner, chance)
        elif draw < 0.43:
            yield {"type": "cancel_all_by_user", "user_id": user}
        else:
            at = chance.randrange(len(live))
            order_id, owner = live[at]
            kind = chance.choice(("pause", "resume", "cancel", "cancel", "cancel"))
            if kind == "cancel":
                live[at] = live[-1]
                live.pop()
            event = {"type": kind, "order_id": order_id, "user_id": owner}
            if draw > 0.98:
                event["user_id"] = user
            yield event


def _place(order_id: str, user: str, chance: random.Random) -> Event:
    return {
        "type": "place",
        "order_id": order_id,
        "user_id": user,
        "currency": chance.choice(("BTC", "ETH")),
        "amount": f"{chance.randrange(1, 1000)}.{chance.randrange(100):02}",
        "price": str(chance.randrange(1, 60_000)),
    }


def encode(event: Event) -> bytes:
    """The event as a producer would write it."""
    return json.dumps(event).encode()
