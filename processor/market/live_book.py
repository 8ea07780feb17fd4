"""The orders that a market has live, as far as it needs to know them."""

import random
from typing import NamedTuple


class Placed(NamedTuple):
    """A live order."""

    order_id: str
    user_id: str


class LiveBook:
    """Live orders, from which any can be drawn in constant time."""

    def __init__(self) -> None:
        self.active: list[Placed] = []
        self.paused: list[Placed] = []

    def __len__(self) -> int:
        return len(self.active) + len(self.paused)

    def draw(self, chance: random.Random) -> Placed:
        """Take out one of all, by chance."""
        at = chance.randrange(len(self))
        if at < len(self.active):
            return take(self.active, at)
        return take(self.paused, at - len(self.active))

    def remove_all_of(self, user_id: str) -> None:
        """Take out a user's."""
        self.active = [one for one in self.active if one.user_id != user_id]
        self.paused = [one for one in self.paused if one.user_id != user_id]


def take(orders: list[Placed], at: int) -> Placed:
    """Take one out; the last comes into its place."""
    orders[at], orders[-1] = orders[-1], orders[at]
    return orders.pop()
