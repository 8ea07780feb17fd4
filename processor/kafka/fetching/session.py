"""A fetch session: which partitions to ask whom, and what the answers mean.

Requests come out, answers go in, and time is an argument; the driver sends and receives.

- Each call of `requests` gives what can be sent now. Ask again after each event and at `wake_ms`.
- Each request comes back once, by `answered` or by `lost`.
- The states of a partition stand in `reading`, what moves them in `availability`, the lanes to a
  leader in `lanes`.
"""

from typing import Final

from processor.kafka.cluster_view import ClusterView
from processor.kafka.fetching.availability import Availability
from processor.kafka.fetching.committed import Intact, committed_data
from processor.kafka.fetching.incremental import FIRST_EPOCH, Difference
from processor.kafka.fetching.lanes import Flight, Lanes, NotBefore, Slot
from processor.kafka.fetching.limits import FetchLimits
from processor.kafka.fetching.reading import Reading, State
from processor.kafka.fetching.remedies import NONE, Failure, Trouble
from processor.kafka.fetching.values import (
    NO_SESSION_EPOCH,
    NO_SESSION_ID,
    Fetch,
    Fetched,
    FetchedPartition,
    Lane,
    RefreshMetadata,
)

_NETWORK: Final = 13

_Askable = dict[tuple[str, int], Reading]


class FetchSession:
    """Reads many partitions of many leaders."""

    def __init__(self, view: ClusterView, limits: FetchLimits, intact: Intact) -> None:
        self._view = view
        self._limits = limits
        self._intact = intact
        self._lanes = Lanes(limits)
        self._available = Availability(view, limits)
        # Those that got records last stand last: a broker fills its answer in the order asked.
        self._readings: dict[Reading, None] = {}

    def open(
        self, topic: str, partition: int, offset: int, topic_id: bytes | None = None
    ) -> Reading:
        """Begin to read a partition.

        Args:
            topic: its name.
            partition: its number.
            offset: the first offset that is wanted.
            topic_id: the id that the topic must have; None to take the one that it has now.
        """
        reading = Reading(topic, partition, offset, topic_id)
        self._readings[reading] = None
        return reading

    def close(self, reading: Reading) -> None:
        """Stop reading a partition. Harmless for one that is closed."""
        self._readings.pop(reading, None)

    def failure(self, reading: Reading, now_ms: int) -> Failure | None:
        """The failure to tell its reader now, once all that was buffered is handed out."""
        return self._available.failure(reading, now_ms)

    @property
    def wake_ms(self) -> int | None:
        """When `requests` may give more although nothing has happened; None if it will not."""
        return self._available.wake_ms

    def requests(self, now_ms: int) -> list[Fetch | RefreshMetadata]:
        """The requests to send now."""
        self._available.wake_ms = None
        found = list[Fetch | RefreshMetadata]()
        for node, asked in self._askable(now_ms).items():
            slot = self._lanes.free(node, now_ms)
            if isinstance(slot, Slot):
                found.append(self._send(node, slot, asked, now_ms))
            elif isinstance(slot, NotBefore):
                self._available.wake(slot.at_ms)
        if self._available.needs_metadata():
            found.append(RefreshMetadata())
        return found

    def _askable(self, now_ms: int) -> dict[int, _Askable]:
        """The partitions that may be asked, by leader; each once, however many read it."""
        found: dict[int, _Askable] = {}
        room_bytes = self._limits.share_bytes(len(self._readings)) // 2
        for reading in self._readings:
            if reading.state is State.ASKED or reading.state is State.FAILED:
                continue
            if reading.buffered_bytes > room_bytes:
                continue
            if reading.is_known_by(self._view.updates):
                leader = reading.leader
            else:
                leader = self._available.leader(reading, now_ms)
            if leader is None:
                continue
            asked = found.get(leader.node)
            if asked is None:
                asked = found[leader.node] = {}
            asked.setdefault(reading.where, reading)
        return found

    def _send(self, node: int, slot: Slot, asked: _Askable, now_ms: int) -> Fetch:
        share_bytes = self._limits.share_bytes(len(self._readings))
        wanted = {where: reading.ask(share_bytes) for where, reading in asked.items()}
        largest_bytes = max(one.max_bytes for one in wanted.values())
        max_bytes = max(self._limits.request_bytes, largest_bytes)
        if slot.lane is Lane.MAIN:
            told = self._lanes.session(node).ask(wanted)
        else:
            told = Difference(NO_SESSION_ID, NO_SESSION_EPOCH, list(wanted.values()), ())
        request = Fetch(
            node,
            slot.lane,
            slot.max_wait_ms,
            max_bytes,
            all(one.topic_id is not None for one in wanted.values()),
            told.changed,
            told.forgotten,
            told.session_id,
            told.epoch,
        )
        self._lanes.send(Flight(request, now_ms, asked, self._available.names))
        return request

    def answered(self, request: Fetch, fetched: Fetched, now_ms: int) -> None:
        """Take in the answer to a request."""
        flight = self._lanes.end(request)
        if flight is None:
            return
        if fetched.error_code != NONE:
            self._give_back(flight, fetched.error_code, now_ms)
            return
        if request.lane is Lane.MAIN:
            self._lanes.session(request.node).answered(fetched.session_id)
        for found in fetched.partitions:
            reading = flight.find(found.topic, found.partition)
            if reading in self._readings and reading.state is State.ASKED:
                self._take_in(reading, found, flight.sent_ms, now_ms)
        if request.session_epoch > FIRST_EPOCH:
            self._keep(flight)
        else:
            # What a full answer leaves out has not been heard of either.
            self._give_back(flight, NONE, now_ms)

    def _keep(self, flight: Flight) -> None:
        """There is nothing new of what an incremental answer leaves out."""
        for reading in flight.readings.values():
            if reading.state is State.ASKED:
                reading.heard_nothing_new()

    def lost(self, request: Fetch, now_ms: int) -> None:
        """Note that a request was not answered, or could not be sent: it is harmless to repeat."""
        flight = self._lanes.end(request)
        if flight is not None:
            self._give_back(flight, _NETWORK, now_ms)

    def _give_back(self, flight: Flight, error_code: int, now_ms: int) -> None:
        request = flight.request
        if error_code != NONE and request.lane is Lane.MAIN:
            self._lanes.session(request.node).end()
        for reading in flight.readings.values():
            if reading in self._readings and reading.state is State.ASKED:
                self._available.err(reading, error_code, flight.sent_ms, now_ms)

    def _take_in(
        self, reading: Reading, found: FetchedPartition, sent_ms: int, now_ms: int
    ) -> None:
        if found.error_code != NONE:
            self._available.err(reading, found.error_code, sent_ms, now_ms)
            return
        reading.heard(found.high_watermark, found.last_stable_offset)
        if not found.records:
            return
        data = committed_data(found.records, found.aborted, reading.next_offset, self._intact)
        if reading.add(data):
            self._available.change(reading)
        if data.corrupt is not None:
            self._available.fail(reading, Failure(Trouble.CORRUPT, detail=data.corrupt))
        # Others come first in the next request.
        del self._readings[reading]
        self._readings[reading] = None

    def changed(self) -> set[Reading]:
        """The readings that have something for their readers since the last call."""
        return self._available.take_changed()
