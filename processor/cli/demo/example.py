"""The example: eight events, and their words."""

from typing import Final

from processor.market import WireEvent
from processor.wire.answer import Answer

_PLACES: Final = (
    ("order1", "alice", "BTC", "10", "50000.0"),
    ("order2", "alice", "ETH", "100", "3000.0"),
    ("order3", "bob", "BTC", "5", "51000.0"),
    ("order4", "bob", "ETH", "50", "3100.0"),
)
_FIELDS: Final = ("order_id", "user_id", "currency", "amount", "price")
_COMMANDS: Final[tuple[WireEvent, ...]] = (
    {"type": "pause", "order_id": "order2", "user_id": "alice"},
    {"type": "pause", "order_id": "order3", "user_id": "bob"},
    {"type": "cancel", "order_id": "order2", "user_id": "alice"},
    {"type": "cancel_all_by_user", "user_id": "alice"},
)


def example_events() -> list[WireEvent]:
    """The events, each with an id by which its answer is known."""
    places = [{"type": "place"} | dict(zip(_FIELDS, one, strict=True)) for one in _PLACES]
    return [
        event | {"event_id": f"example-{number}"}
        for number, event in enumerate((*places, *_COMMANDS), 1)
    ]


def event_words(event: WireEvent) -> str:
    """The event in a few words."""
    match event["type"]:
        case "place":
            what = f"{event['amount']} {event['currency']} at {event['price']}"
            return f"place {event['order_id']} of {event['user_id']}: {what}"
        case "cancel_all_by_user":
            return f"cancel all of {event['user_id']}"
        case command:
            return f"{command} {event['order_id']} of {event['user_id']}"


def answer_words(answer: Answer) -> str:
    """The answer in a few words."""
    words: list[str] = [answer["result"]]
    if "reason" in answer:
        words.append(answer["reason"])
    if "count" in answer:
        words.append(f"{answer['count']} removed")
    return ", ".join(words)
