"""The inputs finished beyond a task's committed offsets, and their records in ``orders.progress``.

The committed offset of an input is that of the lowest event still held, so a task that comes back
reads all from there on again. These records tell it what of that is finished. Each transaction
writes what it finished itself, if that lies beyond the committed offsets; a record that they have
passed is removed. So the cost goes with the events, not with how many are held.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Literal, NamedTuple

from processor.core.event_time.offset_ranges import Runs, from_on, joined, pack, runs_of
from processor.core.event_time.progress_log import ProgressLog
from processor.wire.progress import MAX_NUMBERS

Source = Literal[0, 1]
EVENTS: Final = 0
ROUTED: Final = 1
"""The inputs whose events are put in order: ``orders.events`` and ``orders.routed``."""

PREFIX: Final = "finished/"

# A record is written anew, with more in it, until it has so many integers: else many small
# transactions would leave as many small records. It costs half of that again each time: 150 bytes.
_CLOSED_NUMBERS: Final = 100


class _Kept(NamedTuple):
    """A record, and the offsets after its last ones."""

    key: str
    events_end: int
    routed_end: int


class FinishedOffsets:
    """Collects the offsets that a transaction finishes, and writes those that matter."""

    __slots__ = ("_added", "_kept", "_log", "_open", "_open_key")

    def __init__(
        self, log: ProgressLog, kept: Iterable[tuple[str, tuple[Runs, Runs]]] = ()
    ) -> None:
        """Collect for a log.

        Args:
            log: where to write.
            kept: the keys and offsets of the records that it has, in the order of their keys.
        """
        self._log = log
        self._added: tuple[list[int], list[int]] = ([], [])
        self._kept = deque(_Kept(key, _end(events), _end(routed)) for key, (events, routed) in kept)
        # The record that is still written anew.
        self._open_key: str | None = None
        self._open: tuple[Runs, Runs] = ([], [])

    def adder(self, source: Source) -> Callable[[int], None]:
        """The function to call with each finished offset, until the next `write`."""
        return self._added[source].append

    def write(self, committed: tuple[int, int]) -> None:
        """Write what a transaction finished beyond the offsets that it commits.

        Args:
            committed: the offsets, of ``orders.events`` and of ``orders.routed``.
        """
        events, routed = self._added
        self._added = [], []
        more = (
            _beyond(events, committed[EVENTS]),
            _beyond(routed, committed[ROUTED]),
        )
        has_more = bool(more[EVENTS] or more[ROUTED])
        self._remove_passed(committed, has_more)
        if not has_more:
            return
        runs = (
            joined(from_on(self._open[EVENTS], committed[EVENTS]) + more[EVENTS]),
            joined(from_on(self._open[ROUTED], committed[ROUTED]) + more[ROUTED]),
        )
        while runs[EVENTS] or runs[ROUTED]:
            # A run takes two integers at most.
            most = MAX_NUMBERS // 4
            self._put(runs[EVENTS][:most], runs[ROUTED][:most])
            runs = runs[EVENTS][most:], runs[ROUTED][most:]

    def _put(self, events: Runs, routed: Runs) -> None:
        key = self._open_key
        if key is None:
            # Sixteen digits: in the order of text, too, keys are in the order of time.
            key = f"{PREFIX}{self._log.seq + 1:016}"
        else:
            self._kept.pop()
        packed = pack(events), pack(routed)
        self._log.put(key, "finished", f'"events":{_json(packed[0])},"routed":{_json(packed[1])}')
        self._kept.append(_Kept(key, _end(events), _end(routed)))
        is_full = len(packed[0]) + len(packed[1]) >= _CLOSED_NUMBERS
        self._open_key = None if is_full else key
        self._open = ([], []) if is_full else (events, routed)

    def _remove_passed(self, committed: tuple[int, int], has_more: bool) -> None:
        """Remove the oldest records that the committed offsets have passed.

        One that is passed before an older one waits for it, which is not long. The last one stays
        when it is to be written anew.
        """
        kept = self._kept
        while (
            kept
            and kept[0].events_end <= committed[EVENTS]
            and kept[0].routed_end <= committed[ROUTED]
        ):
            if kept[0].key == self._open_key:
                if has_more:
                    return
                self._open_key, self._open = None, ([], [])
            self._log.remove(kept.popleft().key)


def _beyond(finished: list[int], committed: int) -> Runs:
    return runs_of(sorted(offset for offset in finished if offset >= committed))


def _end(runs: Runs) -> int:
    return runs[-1][1] if runs else 0


def _json(numbers: list[int]) -> str:
    return f"[{','.join(map(str, numbers))}]"
