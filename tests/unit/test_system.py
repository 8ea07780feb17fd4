"""The in-process system."""

from decimal import Decimal

import pytest
from pydantic import ValidationError

from processor import CryptoOrderSystem
from processor.core.system import Amount


def test_the_example() -> None:
    s = CryptoOrderSystem(num_streams=3)
    s.place("order1", "alice", "BTC", 10, 50000.0)
    s.place("order2", "alice", "ETH", 100, 3000.0)
    s.place("order3", "bob", "BTC", 5, 51000.0)
    s.place("order4", "bob", "ETH", 50, 3100.0)
    assert (s.pause("order2"), s.pause("order3"), s.cancel("order2")) == (True, True, True)
    assert s.display_all_live_orders() == ["order1", "order3(paused)", "order4"]
    assert s.cancel_all_by_user("alice") == 1
    assert s.display_all_live_orders() == ["order3(paused)", "order4"]


def test_there_is_one_stream_unless_told_otherwise() -> None:
    system = CryptoOrderSystem()
    system.place("o1", "alice", "BTC", 1, 1)
    assert system.display_all_live_orders() == ["o1"]


@pytest.mark.parametrize("num_streams", [0, -1])
def test_a_system_has_at_least_one_stream(num_streams: int) -> None:
    with pytest.raises(ValueError, match="num_streams must be at least 1"):
        CryptoOrderSystem(num_streams)


@pytest.mark.parametrize("num_streams", [1, 2, 7])
def test_the_list_is_in_the_order_of_the_calls(num_streams: int) -> None:
    system = CryptoOrderSystem(num_streams)
    ids = [f"o{n}" for n in range(50)]
    for n, order_id in enumerate(ids):
        system.place(order_id, f"user{n % 11}", "BTC", 1, 1)
    assert system.display_all_live_orders() == ids


def test_an_id_that_is_live_anywhere_is_not_placed_again() -> None:
    system = CryptoOrderSystem(7)
    system.place("o1", "user0", "BTC", 1, 1)
    for n in range(20):
        system.place("o1", f"user{n}", "BTC", 1, 1)
    assert system.display_all_live_orders() == ["o1"]
    assert system.cancel_all_by_user("user0") == 1


def test_an_id_is_free_again_after_cancel_and_after_cancel_all() -> None:
    system = CryptoOrderSystem(7)
    system.place("o1", "alice", "BTC", 1, 1)
    system.cancel("o1")
    system.place("o1", "bob", "BTC", 1, 1)
    system.cancel_all_by_user("bob")
    system.place("o1", "carol", "BTC", 1, 1)
    assert system.cancel_all_by_user("carol") == 1


@pytest.mark.parametrize("command", ["pause", "resume", "cancel"])
def test_a_command_for_an_unknown_order_is_false(command: str) -> None:
    assert getattr(CryptoOrderSystem(3), command)("o1") is False


def test_a_command_that_the_status_forbids_is_false() -> None:
    system = CryptoOrderSystem()
    system.place("o1", "alice", "BTC", 1, 1)
    assert (system.resume("o1"), system.pause("o1"), system.pause("o1")) == (False, True, False)
    assert (system.resume("o1"), system.cancel("o1"), system.cancel("o1")) == (True, True, False)


def test_cancel_all_of_a_user_without_orders_is_0() -> None:
    assert CryptoOrderSystem(3).cancel_all_by_user("alice") == 0


@pytest.mark.parametrize(
    "amount", [1, 0.1, 1e22, 1e-7, "1.50", Decimal("1.50"), Decimal("1E+3"), 10**37]
)
def test_an_exact_positive_amount_is_taken(amount: Amount) -> None:
    system = CryptoOrderSystem()
    system.place("o1", "alice", "BTC", amount, amount)
    assert system.display_all_live_orders() == ["o1"]


@pytest.mark.parametrize(
    "amount",
    [
        0,
        -1,
        0.0,
        float("nan"),
        float("inf"),
        1e300,
        1e-300,
        True,
        10**38,
        Decimal("NaN"),
        "",
        "1e3",
        "1_000",
        " 1.5 ",
        "١٢",
        "NaN",
    ],
)
def test_an_amount_that_an_event_could_not_have_is_refused(amount: Amount) -> None:
    system = CryptoOrderSystem()
    with pytest.raises(ValidationError):
        system.place("o1", "alice", "BTC", amount, 1)
    assert system.display_all_live_orders() == []


@pytest.mark.parametrize(
    ("order_id", "user_id", "currency"),
    [("", "alice", "BTC"), ("a b", "alice", "BTC"), ("o1", "x" * 65, "BTC"), ("o1", "alice", "")],
)
def test_a_place_that_no_event_could_be_is_refused(
    order_id: str, user_id: str, currency: str
) -> None:
    system = CryptoOrderSystem()
    with pytest.raises(ValidationError):
        system.place(order_id, user_id, currency, 1, 1)
    assert system.display_all_live_orders() == []
