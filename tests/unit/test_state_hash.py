"""The state hash is what the design says, however a state was reached."""

import hashlib

from processor.core.orders.order import Order
from processor.core.orders.state_hash import hash_orders
from processor.core.orders.stream import OrderStream
from tests import model
from tests.builders import apply, event, order, place, record

ORDERS = [
    order("o1", placed_seq=1),
    order("注文", user_id="é", status="paused", placed_seq=2, seq=9),
    order("o3", amount="0.10", placed_seq=2**62),
]


def test_one_orders_hash_is_the_sha256_of_its_fields() -> None:
    text = "o1\x1falice\x1fBTC\x1f1.50\x1f2\x1factive\x1f1"
    assert hash_orders(ORDERS[:1]) == hashlib.sha256(text.encode()).hexdigest()


def test_many_orders_hash_is_the_sum_modulo_2_to_the_256() -> None:
    many = [order(f"o{n}", placed_seq=n) for n in range(1, 50)]
    assert hash_orders(many) == model.state_hash(record(one) for one in many)


def test_nothing_hashes_to_zeros() -> None:
    assert hash_orders([]) == "0" * 64


def test_the_order_of_orders_does_not_matter() -> None:
    assert hash_orders(ORDERS) == hash_orders(reversed(ORDERS))


def test_the_stream_and_the_last_seq_and_times_do_not_count() -> None:
    moved = [one._replace(seq=77, placed_at_us=5, updated_at_us=6) for one in ORDERS]
    assert hash_orders(moved) == hash_orders(ORDERS)


def test_every_other_field_counts() -> None:
    one = ORDERS[0]
    changed: list[Order] = [
        one._replace(order_id="x"),
        one._replace(user_id="x"),
        one._replace(currency="x"),
        one._replace(amount="1.5"),
        one._replace(price="2.0"),
        one._replace(status="paused"),
        one._replace(placed_seq=2),
    ]
    assert len({hash_orders([each]) for each in [one, *changed]}) == 8


def test_a_stream_keeps_its_hash_up_to_date_through_every_change() -> None:
    stream = OrderStream(0, 1)
    for one in (
        place("o1"),
        place("o2", "bob"),
        event(type="pause", order_id="o1"),
        place("o3"),
        event(type="resume", order_id="o1"),
        event(type="cancel", order_id="o2"),
        event(type="cancel_all_by_user", user_id="alice"),
        place("o1"),
    ):
        apply(stream, one)
        expected = model.state_hash(record(live) for live in stream.orders())
        assert stream.state_hash == expected
