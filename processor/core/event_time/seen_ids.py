"""The ids of the last events of a stream, so that a repeat is known as one."""

from collections import deque
from collections.abc import Iterable
from hashlib import blake2s
from typing import Final

# An int of 61 to 90 bits takes as much as one of 88, and digests of whole bytes are easily written.
# With 200,000 ids remembered a new one is mistaken for a repeat once in 10^21 events; whoever wants
# an id of his to be mistaken for another's has to try 2^70. A digest of 60 bits would save 16 bytes
# an id, but fail every few years on a busy stream and be in reach of an attacker.
DIGEST_BYTES: Final = 11
_MASK: Final = (1 << (8 * DIGEST_BYTES)) - 1


def id_digest(event_id: str) -> int:
    """The digest of an event's id, however long it is: a number below 2^88."""
    # Asking for a digest of 11 bytes takes longer than asking for one of 32 and cutting it.
    return int.from_bytes(blake2s(event_id.encode()).digest(), "little") & _MASK


class SeenIds:
    """The ids of the last ``max_events`` events that a stream has finished.

    Events without an id count as well. A repeat counts as having brought its id once more.
    """

    __slots__ = ("_added", "_again", "_digests", "_events", "_max_events", "_queue", "_size")

    def __init__(self, max_events: int) -> None:
        """Make an empty memory.

        Args:
            max_events: for how many events an id is remembered.
        """
        self._max_events = max_events
        self._digests: set[int] = set()
        # How many more times an id stands in the queue; few do.
        self._again: dict[int, int] = {}
        # The last events: a digest; or, negative, how many events without an id in a row.
        self._queue: deque[int] = deque()
        self._size = 0
        self._events = 0
        self._added: list[tuple[int, int]] = []

    @property
    def events(self) -> int:
        """How many events the stream has finished."""
        return self._events

    @property
    def first(self) -> int:
        """The number of the first event whose id is remembered."""
        return self._events - self._size

    def __len__(self) -> int:
        return len(self._digests)

    def __contains__(self, digest: int) -> bool:
        return digest in self._digests

    def add(self, digest: int) -> None:
        """An event with an id is finished."""
        self._added.append((self._events, digest))
        self._append(digest)

    def skip(self, count: int) -> None:
        """So many events without an id are finished."""
        queue = self._queue
        if queue and queue[-1] < 0:
            queue[-1] -= count
        else:
            queue.append(-count)
        self._events += count
        self._size += count
        if self._size > self._max_events:
            self._forget()

    def put_back(self, ids: Iterable[tuple[int, int]], events: int) -> None:
        """Remember what was added before a restart.

        Args:
            ids: numbers and digests of events, in ascending order.
            events: how many events the stream has finished.
        """
        for number, digest in ids:
            if number > self._events:
                self.skip(number - self._events)
            self._append(digest)
        if events > self._events:
            self.skip(events - self._events)

    def drain(self) -> list[tuple[int, int]]:
        """Numbers and digests of the events with an id since the last call."""
        added, self._added = self._added, []
        return added

    def _append(self, digest: int) -> None:
        if digest in self._digests:
            self._again[digest] = self._again.get(digest, 0) + 1
        else:
            self._digests.add(digest)
        self._queue.append(digest)
        self._events += 1
        self._size += 1
        if self._size > self._max_events:
            self._forget()

    def _forget(self) -> None:
        """Drop the oldest events."""
        queue = self._queue
        over = self._size - self._max_events
        self._size = self._max_events
        while over:
            oldest = queue[0]
            if -oldest > over:
                queue[0] = oldest + over
                return
            queue.popleft()
            if oldest < 0:
                over += oldest
                continue
            over -= 1
            more = self._again.pop(oldest, 0)
            if more == 0:
                self._digests.discard(oldest)
            elif more > 1:
                self._again[oldest] = more - 1
