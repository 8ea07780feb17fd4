"""Events held back for a while, so that they can be applied in the order of their times.

The watermark is the highest event time seen, less the window. What is not after it is released, in
the order of times, ties by source and then offset. So events that come late by no more than the
window are all released in order: none can come before one that was released already.
"""

from collections import deque
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final, Generic, Literal, TypeVar

from processor.core.event_time.finished_offsets import Source

_FEW: Final = 1024

Item = TypeVar("Item")
Verdict = Literal["held", "due", "late", "too_early"]
"""The verdict about an event; ``due``: held, and `ReorderBuffer.release` has something now."""

Entry = tuple[int, Source, int, Item]
"""Event time in microseconds, source, offset, and whatever stands for the event."""


@dataclass(frozen=True, slots=True)
class ReorderPolicy:
    """How events are put in order.

    Window 0 drains the events held under an earlier window: nothing is late or too early, and held
    events are released at once. An event that is older than a released one is applied at once or
    rejected. One that is more than ``max_future_ms`` ahead of the clock would make all others late,
    and is refused. ``idle_ms`` is after how long without a newly held event a stream is quiet.
    """

    window_ms: int = 0
    idle_ms: int = 1000
    late_events: Literal["apply", "reject"] = "apply"
    max_future_ms: int = 60_000
    max_events: int = 100_000

    @property
    def quiet_ms(self) -> int:
        """After how long without a newly held event the clock releases: a window at least."""
        return max(self.idle_ms, self.window_ms)


class ReorderBuffer(Generic[Item]):
    """The events that are held until their time.

    Takes and releases them one by one, so what comes out does not depend on how they are read.
    """

    __slots__ = (
        "_early_released",
        "_gone",
        "_heap",
        "_held_ever",
        "_highest_us",
        "_max_events",
        "_max_future_us",
        "_offsets",
        "_released_us",
        "_window_us",
    )

    def __init__(self, policy: ReorderPolicy, *, released_us: int = -1) -> None:
        """Make an empty buffer.

        Args:
            policy: how events are put in order.
            released_us: the highest event time released in order, -1 for none.
        """
        self._window_us = policy.window_ms * 1000
        self._max_future_us = policy.max_future_ms * 1000
        self._max_events = policy.max_events
        # Once all is put back that was held before, it is the highest again.
        self._highest_us = released_us
        self._released_us = released_us
        self._heap: list[Entry[Item]] = []
        # The offsets of each source, as they came; those that are gone stay until they get to the
        # front. In order of time they mostly are there: then there is no other set to look into.
        self._offsets: tuple[deque[int], deque[int]] = (deque(), deque())
        self._gone: tuple[set[int], set[int]] = (set(), set())
        self._early_released = 0
        self._held_ever = 0

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def highest_us(self) -> int:
        """The highest event time seen, -1 for none."""
        return self._highest_us

    @property
    def released_us(self) -> int:
        """The highest event time released in order, -1 for none; what is older now is late."""
        return self._released_us

    @property
    def held_ever(self) -> int:
        """How many events were held so far, those that are gone included."""
        return self._held_ever

    @property
    def early_released(self) -> int:
        """How many events were released before their time, for there were too many."""
        return self._early_released

    def lowest(self, source: Source) -> int | None:
        """The lowest offset of a source that waits."""
        offsets, gone = self._offsets[source], self._gone[source]
        while offsets and offsets[0] in gone:
            gone.remove(offsets.popleft())
        if len(gone) > 2 * len(self._heap) + _FEW:
            # One that waits for long must not keep all that came after it.
            waiting = [offset for offset in offsets if offset not in gone]
            offsets.clear()
            offsets.extend(waiting)
            gone.clear()
        return offsets[0] if offsets else None

    def offer(self, time_us: int, source: Source, offset: int, item: Item, now_us: int) -> Verdict:
        """Judge an event, and hold it if it is neither late nor too early.

        Args:
            time_us: its event time.
            source, offset: where it stands; offsets of a source must grow.
            item: stands for it.
            now_us: wall clock.
        """
        if self._window_us:
            if time_us < self._released_us:
                return "late"
            if time_us > now_us + self._max_future_us:
                return "too_early"
        self.hold(time_us, source, offset, item)
        heap = self._heap
        if heap[0][0] <= self._highest_us - self._window_us or len(heap) > self._max_events:
            return "due"
        return "held"

    def hold(self, time_us: int, source: Source, offset: int, item: Item) -> None:
        """Hold an event unjudged: one that was held before."""
        heappush(self._heap, (time_us, source, offset, item))
        self._offsets[source].append(offset)
        self._held_ever += 1
        if time_us > self._highest_us:
            self._highest_us = time_us

    def release(self) -> list[Entry[Item]]:
        """Let go, in order, of what the watermark has reached, and of the oldest of too many."""
        return self._release_upto(self._highest_us - self._window_us)

    def is_due(self, now_us: int) -> bool:
        """Whether `release_idle` would release anything."""
        return bool(self._heap) and self._heap[0][0] <= self._idle_watermark_us(now_us)

    def release_idle(self, now_us: int) -> list[Entry[Item]]:
        """Let go of what the clock has reached, in place of an event that does not come.

        Only when nothing has come to wait for a while. Events ahead of the clock still wait for it:
        if they did not, all that follows would be late.

        Args:
            now_us: wall clock, of a moment of which all is read that was there.
        """
        return self._release_upto(self._idle_watermark_us(now_us))

    def _idle_watermark_us(self, now_us: int) -> int:
        return max(self._highest_us, now_us) - self._window_us

    def _release_upto(self, watermark_us: int) -> list[Entry[Item]]:
        released: list[Entry[Item]] = []
        heap = self._heap
        while heap and heap[0][0] <= watermark_us:
            released.append(heappop(heap))
        while len(heap) > self._max_events:
            released.append(heappop(heap))
            self._early_released += 1
        for _, source, offset, _ in released:
            offsets = self._offsets[source]
            if offsets[0] == offset:
                offsets.popleft()
            else:
                self._gone[source].add(offset)
        if released:
            self._released_us = max(self._released_us, released[-1][0])
        return released
