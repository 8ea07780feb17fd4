"""Short words for events."""

import itertools
from typing import Any

from processor.core.sharding import stream_of


def place(order_id: str, user_id: str = "alice", **more: Any) -> dict[str, Any]:
    """A place event."""
    return {
        "type": "place",
        "order_id": order_id,
        "user_id": user_id,
        "currency": "BTC",
        "amount": "1.50",
        "price": "50000",
        **more,
    }


def pause(order_id: str, user_id: str | None = None) -> dict[str, Any]:
    """A pause event; without a user, the directory finds the order."""
    return _command("pause", order_id, user_id)


def resume(order_id: str, user_id: str | None = None) -> dict[str, Any]:
    """A resume event; without a user, the directory finds the order."""
    return _command("resume", order_id, user_id)


def cancel(order_id: str, user_id: str | None = None) -> dict[str, Any]:
    """A cancel event; without a user, the directory finds the order."""
    return _command("cancel", order_id, user_id)


def cancel_all(user_id: str = "alice") -> dict[str, Any]:
    """A cancel-all event."""
    return {"type": "cancel_all_by_user", "user_id": user_id}


def _command(kind: str, order_id: str, user_id: str | None) -> dict[str, Any]:
    user = {} if user_id is None else {"user_id": user_id}
    return {"type": kind, "order_id": order_id, **user}


def user_of(stream: int, num_streams: int) -> str:
    """Some user of a stream."""
    return next(
        name
        for number in itertools.count()
        if stream_of(name := f"user{number}", num_streams) == stream
    )
