"""The content of a live table: counts of each stream, its speed, the newest changes."""

from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

from processor.core.orders.order import Order
from processor.reader.view_change import ViewChange
from processor.wire.live_order import Status

_NEWEST: Final = 50
_RATE_OVER_S: Final = 5.0


class StreamRow(NamedTuple):
    """A stream's line: live orders, those of them that are paused, events answered, per second."""

    live: int
    paused: int
    events: int
    rejected: int
    per_second: float


class SeenChange(NamedTuple):
    """A change, its stream, and the time of its record where that was seen."""

    stream: int
    change: ViewChange
    timestamp_ms: int | None


class LiveBoard:
    """Kept up to date by changes and answers; time comes in with `tick`."""

    def __init__(self, num_streams: int, orders: Iterable[tuple[int, Order]]) -> None:
        """Begin with the orders that are live, as pairs of stream and order."""
        self._statuses: list[dict[str, Status]] = [{} for _ in range(num_streams)]
        for stream, order in orders:
            self._statuses[stream][order.order_id] = order.status
        self._events = [0] * num_streams
        self._rejected = [0] * num_streams
        self._marks: deque[tuple[float, list[int]]] = deque()
        self.newest: deque[SeenChange] = deque(maxlen=_NEWEST)

    def on_change(self, stream: int, change: ViewChange, timestamp_ms: int | None) -> None:
        """A committed change; the newest comes first."""
        if change.kind == "removed":
            self._statuses[stream].pop(change.order.order_id, None)
        else:
            self._statuses[stream][change.order.order_id] = change.order.status
        self.newest.appendleft(SeenChange(stream, change, timestamp_ms))

    def on_answer(self, stream: int, *, rejected: bool) -> None:
        """An event was answered."""
        self._events[stream] += 1
        self._rejected[stream] += rejected

    def tick(self, now_s: float) -> None:
        """Note the time: events older than some seconds do not count for the speed."""
        self._marks.append((now_s, list(self._events)))
        while len(self._marks) > 2 and self._marks[1][0] <= now_s - _RATE_OVER_S:
            self._marks.popleft()

    def rows(self) -> list[StreamRow]:
        """A row for each stream, as of the last tick."""
        return [
            StreamRow(
                len(statuses),
                sum(status == "paused" for status in statuses.values()),
                self._events[stream],
                self._rejected[stream],
                self._per_second(stream),
            )
            for stream, statuses in enumerate(self._statuses)
        ]

    def total(self) -> StreamRow:
        """All streams together."""
        live, paused, events, rejected, per_second = zip(*self.rows(), strict=True)
        return StreamRow(sum(live), sum(paused), sum(events), sum(rejected), sum(per_second))

    def _per_second(self, stream: int) -> float:
        if len(self._marks) < 2:
            return 0.0
        (began_s, before), (now_s, after) = self._marks[0], self._marks[-1]
        elapsed_s = now_s - began_s
        return (after[stream] - before[stream]) / elapsed_s if elapsed_s > 0 else 0.0
