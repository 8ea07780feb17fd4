"""The instruments that are traded, and their prices."""

import random
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Instrument:
    """A currency that is traded: about what it costs, and how finely price and amount go."""

    currency: str
    usual_price: float
    price_digits: int
    amount_digits: int


INSTRUMENTS: Final = (
    Instrument("BTC", 64_000, 1, 5),
    Instrument("ETH", 3_100, 2, 4),
    Instrument("SOL", 150, 2, 2),
    Instrument("XRP", 0.6, 4, 1),
    Instrument("DOGE", 0.15, 5, 0),
)
# BTC most, DOGE least.
_POPULARITY: Final = (40, 30, 15, 10, 5)
_STEP: Final = 0.001
_PULL: Final = 0.01
_SPREAD: Final = 0.01
_MIN_WORTH: Final = 50
_MAX_WORTH: Final = 50_000


class Prices:
    """Each currency's price, which wanders about its usual one."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._now = [one.usual_price for one in INSTRUMENTS]

    def quote(self) -> tuple[str, str, str]:
        """Currency, amount and price of an order that somebody might place now."""
        chance = self._chance
        at = chance.choices(range(len(INSTRUMENTS)), _POPULARITY)[0]
        one = INSTRUMENTS[at]
        moved = self._now[at] * (1 + chance.uniform(-_STEP, _STEP))
        self._now[at] = moved + (one.usual_price - moved) * _PULL
        price = self._now[at] * (1 + chance.uniform(-_SPREAD, _SPREAD))
        # Many small orders, few large ones.
        worth = _MIN_WORTH + (_MAX_WORTH - _MIN_WORTH) * chance.random() ** 4
        return (
            one.currency,
            f"{worth / price:.{one.amount_digits}f}",
            f"{price:.{one.price_digits}f}",
        )
