"""The market: every event is one that applies, live orders are bounded, a seed gives the same."""

import json
import random
from collections import Counter
from typing import Any

import pytest

from processor.core.system import CryptoOrderSystem
from processor.market import Market, WireEvent
from processor.wire.event import parse_event

NOW_US = 1_767_225_600_000_000
SEEDS = range(5)


def events(
    seed: int, count: int = 2_000, *, run: str = "m", users: int = 50, max_live: int = 100
) -> list[WireEvent]:
    market = Market(random.Random(seed), run, users=users, max_live=max_live)
    return [market.next_event(NOW_US + number) for number in range(count)]


def applies(system: CryptoOrderSystem, event: WireEvent) -> bool:
    fields: dict[str, Any] = event
    order_id = fields.get("order_id", "")
    match event["type"]:
        case "place":
            before = len(system.display_all_live_orders())
            system.place(
                order_id, event["user_id"], event["currency"], event["amount"], event["price"]
            )
            return len(system.display_all_live_orders()) == before + 1
        case "pause":
            return system.pause(order_id)
        case "resume":
            return system.resume(order_id)
        case "cancel":
            return system.cancel(order_id)
        case _:
            system.cancel_all_by_user(event["user_id"])
            return True


@pytest.mark.parametrize("seed", SEEDS)
def test_every_event_is_valid_on_the_wire(seed: int) -> None:
    for number, event in enumerate(events(seed)):
        parsed = parse_event(json.dumps(event).encode())
        assert isinstance(parsed, dict), parsed
        assert parsed.get("occurred_at") == NOW_US + number


@pytest.mark.parametrize("seed", SEEDS)
def test_every_event_applies(seed: int) -> None:
    system = CryptoOrderSystem()
    assert all(applies(system, event) for event in events(seed))


@pytest.mark.parametrize("max_live", [2, 3, 100])
def test_there_are_never_more_live_orders_than_the_bound(max_live: int) -> None:
    market = Market(random.Random(1), "m", users=5, max_live=max_live)
    for number in range(5_000):
        market.next_event(NOW_US + number)
        assert market.live <= max_live


def test_it_fills_to_about_half_of_the_bound_and_stays_there() -> None:
    market = Market(random.Random(1), "m", users=1_000, max_live=200)
    live = []
    for number in range(5_000):
        market.next_event(NOW_US + number)
        live.append(market.live)
    assert all(60 < count < 140 for count in live[1_000:])


def test_the_same_seed_gives_the_same_events() -> None:
    assert events(7) == events(7)


def test_another_seed_gives_other_events() -> None:
    assert events(7) != events(8)


def test_two_runs_of_the_same_seed_share_no_id() -> None:
    def ids(run: str) -> set[str]:
        return {
            event[name]
            for event in events(7, run=run)
            for name in ("order_id", "event_id")
            if name in event
        }

    assert not ids("one") & ids("two")


def test_event_ids_are_never_used_twice() -> None:
    assert max(Counter(event["event_id"] for event in events(7)).values()) == 1


def test_there_are_events_of_each_kind() -> None:
    kinds = Counter(event["type"] for event in events(7))
    assert set(kinds) == {"place", "pause", "resume", "cancel", "cancel_all_by_user"}
    assert kinds["cancel_all_by_user"] < 50


def test_all_users_take_part() -> None:
    assert len({event["user_id"] for event in events(7, 5_000, users=50)}) == 50


def test_prices_stay_near_what_a_currency_usually_costs() -> None:
    prices = [float(one["price"]) for one in events(7, 20_000) if one.get("currency") == "BTC"]
    assert 55_000 < min(prices) < max(prices) < 75_000


def test_what_an_order_is_worth_is_neither_nothing_nor_a_fortune() -> None:
    places = [one for one in events(7, 20_000) if one["type"] == "place"]
    worths = [float(one["amount"]) * float(one["price"]) for one in places]
    assert 45 < min(worths) < max(worths) < 51_000
