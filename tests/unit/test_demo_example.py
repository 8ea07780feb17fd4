"""The demo's example: its events are valid, and give the lists of the design."""

import json

from processor.cli.demo.example import answer_words, event_words, example_events
from processor.core.system import CryptoOrderSystem
from processor.wire.answer import parse_answer
from processor.wire.event import parse_event


def test_every_event_is_valid_and_has_an_id_of_its_own() -> None:
    events = example_events()
    assert all(isinstance(parse_event(json.dumps(event).encode()), dict) for event in events)
    assert len({event["event_id"] for event in events}) == len(events) == 8


def test_the_rules_make_of_it_what_the_demo_shows() -> None:
    system = CryptoOrderSystem(4)
    lists = []
    for event in example_events():
        match event["type"]:
            case "place":
                order_id, user_id, currency, amount, price = (
                    event[name] for name in ("order_id", "user_id", "currency", "amount", "price")
                )
                system.place(order_id, user_id, currency, amount, price)
            case "pause":
                system.pause(event["order_id"])
            case "cancel":
                system.cancel(event["order_id"])
            case _:
                system.cancel_all_by_user(event["user_id"])
        lists.append(system.display_all_live_orders())
    assert lists[5:] == [
        ["order1", "order2(paused)", "order3(paused)", "order4"],
        ["order1", "order3(paused)", "order4"],
        ["order3(paused)", "order4"],
    ]


def test_events_have_words() -> None:
    words = [event_words(event) for event in example_events()]
    assert words[0] == "place order1 of alice: 10 BTC at 50000.0"
    assert words[4:] == [
        "pause order2 of alice",
        "pause order3 of bob",
        "cancel order2 of alice",
        "cancel all of alice",
    ]


def test_answers_have_words() -> None:
    head = b'{"schema":1,"input":{"partition":0,"offset":1},'
    removed = parse_answer(head + b'"type":"cancel_all_by_user","result":"applied","count":1}')
    rejected = parse_answer(head + b'"type":"pause","result":"rejected","reason":"unknown_order"}')
    assert answer_words(removed) == "applied, 1 removed"
    assert answer_words(rejected) == "rejected, unknown_order"
