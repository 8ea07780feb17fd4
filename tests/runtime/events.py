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


def pause(order_id: str) -> dict[str, Any]:
    """A pause event."""
    return {"type": "pause", "order_id": order_id}


def resume(order_id: str) -> dict[str, Any]:
    """A resume event."""
    return {"type": "resume", "order_id": order_id}


def cancel(order_id: str) -> dict[str, Any]:
    """A cancel event."""
    return {"type": "cancel", "order_id": order_id}


def cancel_all(user_id: str = "alice") -> dict[str, Any]:
    """A cancel-all event."""
    return {"type": "cancel_all_by_user", "user_id": user_id}


def user_of(stream: int, num_streams: int) -> str:
    """Some user of a stream."""
    return next(
        name
        for number in itertools.count()
        if stream_of(name := f"user{number}", num_streams) == stream
    )
