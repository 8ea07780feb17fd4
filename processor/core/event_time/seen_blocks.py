"""The ids that a stream remembers, as records of ``orders.progress``.

Each transaction writes the ids that it added; a record whose ids are all forgotten is removed.
"""

from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

from processor.core.event_time.offset_ranges import pack, runs_of, unpack
from processor.core.event_time.progress_log import ProgressLog
from processor.core.event_time.seen_ids import DIGEST_BYTES, SeenIds
from processor.wire.progress import EventIds

PREFIX: Final = "ids/"

_MAX_IDS: Final = 4096
# A record is written anew, with more in it, until it has so many ids: else one event a transaction
# would leave one record an event.
_CLOSED_IDS: Final = 64


class SeenBlocks:
    """Keeps the records of what a `SeenIds` remembers."""

    __slots__ = ("_kept", "_log", "_open", "_open_key")

    def __init__(self, log: ProgressLog, kept: Iterable[tuple[str, int]] = ()) -> None:
        """Keep records in a log.

        Args:
            log: where to write.
            kept: the keys of the records that it has, each with the number after that of its last
                event, in ascending order.
        """
        self._log = log
        self._kept = deque(kept)
        # The record that is still written anew.
        self._open_key: str | None = None
        self._open: list[tuple[int, int]] = []

    def write(self, seen: SeenIds) -> None:
        """Write the ids that a transaction added, and remove what is forgotten."""
        added = seen.drain()
        while added:
            room = _MAX_IDS - len(self._open)
            self._put(self._open + added[:room])
            added = added[room:]
        while self._kept and self._kept[0][1] <= seen.first:
            key, _ = self._kept.popleft()
            self._log.remove(key)
            if key == self._open_key:
                self._open_key, self._open = None, []

    def _put(self, ids: list[tuple[int, int]]) -> None:
        key = self._open_key
        if key is None:
            key = f"{PREFIX}{self._log.seq + 1:016}"
        else:
            self._kept.pop()
        at = pack(runs_of(number for number, _ in ids))
        digests = b"".join([digest.to_bytes(DIGEST_BYTES, "little") for _, digest in ids])
        self._log.put(
            key,
            "ids",
            f'"at":[{",".join(map(str, at))}],"ids":"{b64encode(digests).decode()}"',
        )
        self._kept.append((key, ids[-1][0] + 1))
        is_full = len(ids) >= _CLOSED_IDS
        self._open_key = None if is_full else key
        self._open = [] if is_full else ids


def read_ids(record: EventIds) -> Iterator[tuple[int, int]]:
    """The numbers and digests of a record, in ascending order.

    Raises:
        ValueError: they do not fit together.
    """
    digests = b64decode(record["ids"], validate=True)
    numbers = [number for start, end in unpack(record["at"]) for number in range(start, end)]
    if len(digests) != len(numbers) * DIGEST_BYTES:
        raise ValueError("not as many ids as events")
    for index, number in enumerate(numbers):
        digest = digests[index * DIGEST_BYTES : (index + 1) * DIGEST_BYTES]
        yield number, int.from_bytes(digest, "little")
