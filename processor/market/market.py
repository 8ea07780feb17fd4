"""The flow of events."""

import random
from typing import Final

from processor.market.live_book import LiveBook, Placed, take
from processor.market.prices import Prices
from processor.wire.event import EventType
from processor.wire.timestamp import format_time

WireEvent = dict[str, str]
"""An event as its JSON has it."""

# How often each kind is, once as many orders are live as there may be on average.
_PLACE: Final = 45.0
_CANCEL: Final = 40.0
_PAUSE: Final = 9.0
_RESUME: Final = 6.0
_CANCEL_ALL: Final = 0.4


class Market:
    """Users who place, pause, resume and cancel orders of their own.

    Every event is one that applies, on topics that nobody else has used these order ids on. What
    was there before it began it does not know, and leaves alone; only a user's "cancel all" does
    not. Some users trade a lot, most seldom.
    """

    def __init__(
        self, chance: random.Random, run: str, *, users: int = 1_000, max_live: int = 2_000
    ) -> None:
        """A market before its first event.

        Args:
            chance: where all chance comes from: in the same state, the same events.
            run: a name that no other market on the same topics has; the ids begin with it.
            users: how many users there are.
            max_live: how many orders are live at most; on average it is about half of it.
        """
        self._chance = chance
        self._run = run
        self._users = users
        self._max_live = max_live
        self._prices = Prices(chance)
        self._book = LiveBook()
        self._events = 0
        self._orders = 0

    @property
    def live(self) -> int:
        """How many orders are live."""
        return len(self._book)

    def next_event(self, now_us: int) -> WireEvent:
        """The next event, at this time (microseconds since the epoch)."""
        kind = self._choose_kind()
        event: WireEvent = {"type": kind} | self._act(kind)
        self._events += 1
        event["event_id"] = f"{self._run}-e{self._events}"
        event["occurred_at"] = format_time(now_us)
        return event

    def _choose_kind(self) -> EventType:
        """Places are as likely as there is room, cancels as there are orders."""
        full = len(self._book) / self._max_live
        weights: dict[EventType, float] = {
            "place": _PLACE * 2 * (1 - full),
            "cancel": _CANCEL * 2 * full,
            "pause": _PAUSE if self._book.active else 0,
            "resume": _RESUME if self._book.paused else 0,
            "cancel_all_by_user": _CANCEL_ALL,
        }
        return self._chance.choices(list(weights), list(weights.values()))[0]

    def _act(self, kind: EventType) -> WireEvent:
        """Do it; its fields."""
        match kind:
            case "place":
                return self._place()
            case "pause":
                return _fields(self._move(self._book.active, self._book.paused))
            case "resume":
                return _fields(self._move(self._book.paused, self._book.active))
            case "cancel":
                return _fields(self._book.draw(self._chance))
            case "cancel_all_by_user":
                user_id = self._user()
                self._book.remove_all_of(user_id)
                return {"user_id": user_id}

    def _place(self) -> WireEvent:
        self._orders += 1
        placed = Placed(f"{self._run}-{self._orders}", self._user())
        self._book.active.append(placed)
        currency, amount, price = self._prices.quote()
        return _fields(placed) | {"currency": currency, "amount": amount, "price": price}

    def _move(self, source: list[Placed], target: list[Placed]) -> Placed:
        moved = take(source, self._chance.randrange(len(source)))
        target.append(moved)
        return moved

    def _user(self) -> str:
        number = int(self._users * self._chance.random() ** 2)
        return f"user-{number + 1:04}"


def _fields(placed: Placed) -> WireEvent:
    return {"order_id": placed.order_id, "user_id": placed.user_id}
