"""Sending a market's events at a steady rate."""

import json
from collections.abc import Iterable

from processor.app.produce import EventSink
from processor.cli.terminal.rate_limit import Pace, keep
from processor.market import WireEvent


async def send_steadily(
    events: Iterable[WireEvent], producer: EventSink, per_second: float
) -> None:
    """Send events, each when it is its turn, until there are no more; to flush is the caller's.

    Each is taken just before it is sent, so that it can have the time in it.
    """
    pace = Pace(per_second)
    coming = iter(events)
    await keep(pace, producer)
    while (event := next(coming, None)) is not None:
        await producer.send(event["user_id"], _encode(event))
        await keep(pace, producer)


def _encode(event: WireEvent) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode()
