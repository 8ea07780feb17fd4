"""Requests under way: two lanes to each leader, one request in each.

| main lane  | extra lane | partitions that may be asked                                          |
|------------|------------|-----------------------------------------------------------------------|
| free       | any        | go on the main lane, in a long poll                                   |
| under way  | free       | go on the extra lane, in a short poll; unless the long poll ends in a |
|            |            | moment: then they wait, to go with the others in the next             |
| under way  | under way  | wait for whichever is back first                                      |

So a partition that was just added, or has room again, waits a short poll's time at the worst, and
when nothing happens all partitions come together in one long poll.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from processor.kafka.fetching.incremental import IncrementalSession
from processor.kafka.fetching.limits import FetchLimits
from processor.kafka.fetching.reading import Reading
from processor.kafka.fetching.values import Fetch, Lane


@dataclass(frozen=True, slots=True)
class Flight:
    """A request under way, since when, and the readings that it asks for."""

    request: Fetch
    sent_ms: int
    readings: Mapping[tuple[str, int], Reading]
    names: Mapping[bytes, str]

    def find(self, topic: str | bytes, partition: int) -> Reading | None:
        """The reading that an answer is for; ``topic`` is a name or an id."""
        name = self.names.get(topic) if isinstance(topic, bytes) else topic
        return None if name is None else self.readings.get((name, partition))


@dataclass(frozen=True, slots=True)
class Slot:
    """A free lane, and how long a poll on it may take."""

    lane: Lane
    max_wait_ms: int


@dataclass(frozen=True, slots=True)
class NotBefore:
    """No lane is free before a time."""

    at_ms: int


class Lanes:
    """The lanes to all leaders."""

    def __init__(self, limits: FetchLimits) -> None:
        self._limits = limits
        self._flights: dict[tuple[int, Lane], Flight] = {}
        self._sent_ms: dict[tuple[int, Lane], int] = {}
        self._sessions: dict[int, IncrementalSession] = {}

    def free(self, node: int, now_ms: int) -> Slot | NotBefore | None:
        """A lane to a node for those that may be asked; None: one will be when an answer comes."""
        main = self._flights.get((node, Lane.MAIN))
        if main is None:
            return self._spaced(node, Slot(Lane.MAIN, self._limits.max_wait_ms), now_ms)
        if (node, Lane.EXTRA) in self._flights:
            return None
        left_ms = main.sent_ms + main.request.max_wait_ms - now_ms
        if abs(left_ms) <= self._limits.merge_ms:
            return NotBefore(now_ms + left_ms + self._limits.merge_ms + 1)
        return self._spaced(node, Slot(Lane.EXTRA, self._extra_wait_ms(left_ms)), now_ms)

    def _extra_wait_ms(self, left_ms: int) -> int:
        """A short poll's time beside a long poll that has so much left."""
        wait_ms = self._limits.extra_wait_ms
        if left_ms < 0:
            return wait_ms
        # It ends shortly before the long poll, so that both can go on together.
        return min(wait_ms, left_ms - self._limits.merge_ms)

    def _spaced(self, node: int, slot: Slot, now_ms: int) -> Slot | NotBefore:
        last_ms = self._sent_ms.get((node, slot.lane))
        if last_ms is None or now_ms >= last_ms + self._limits.spacing_ms:
            return slot
        return NotBefore(last_ms + self._limits.spacing_ms)

    def session(self, node: int) -> IncrementalSession:
        """The incremental session of the main lane to a node."""
        return self._sessions.setdefault(node, IncrementalSession())

    def send(self, flight: Flight) -> None:
        """Note a request as under way."""
        where = (flight.request.node, flight.request.lane)
        self._flights[where] = flight
        self._sent_ms[where] = flight.sent_ms

    def end(self, request: Fetch) -> Flight | None:
        """Free the lane of a request; None if that request is not under way."""
        where = (request.node, request.lane)
        flight = self._flights.get(where)
        if flight is None or flight.request is not request:
            return None
        return self._flights.pop(where)
