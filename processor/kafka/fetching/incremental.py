"""Incremental fetch sessions (KIP-227): a broker remembers the partitions that it is asked for.

| session   | a request has                | left for                                      |
|-----------|------------------------------|-----------------------------------------------|
| NONE      | epoch 0, all partitions      | OPEN at 1: the answer names a session         |
| OPEN at n | epoch n, what changed, what  | OPEN at n + 1: an answer; NONE: an error, no  |
|           | is forgotten                 | answer, or one that names no session          |

The answers of an open session leave out the partitions of which there is nothing new. With many
partitions, that halves the cost of a record that comes alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from processor.kafka.fetching.values import NO_SESSION_ID, AskedPartition

FIRST_EPOCH: Final = 0
_LAST_EPOCH: Final = 2**31 - 1

Where = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Difference:
    """The changes that a broker has to be told to know all that is wanted."""

    session_id: int
    epoch: int
    changed: Sequence[AskedPartition]
    forgotten: Sequence[AskedPartition]


class IncrementalSession:
    """The fetch session that one broker remembers of us."""

    def __init__(self) -> None:
        self._session_id = NO_SESSION_ID
        self._epoch = FIRST_EPOCH
        self._known: Mapping[Where, AskedPartition] = {}

    def ask(self, wanted: Mapping[Where, AskedPartition]) -> Difference:
        """Note what is asked for now."""
        known, self._known = self._known, wanted
        if self._epoch == FIRST_EPOCH:
            # An id that is named with the first epoch is that of a session to be closed.
            return Difference(self._session_id, FIRST_EPOCH, list(wanted.values()), ())
        changed = [one for where, one in wanted.items() if known.get(where) is not one]
        forgotten = [
            one
            for where, one in known.items()
            if where not in wanted or wanted[where].topic_id != one.topic_id
        ]
        return Difference(self._session_id, self._epoch, changed, forgotten)

    def answered(self, session_id: int) -> None:
        """Note the id of an answer without an error; 0: the broker keeps no session for us."""
        self._session_id = session_id
        if session_id == NO_SESSION_ID:
            self._epoch = FIRST_EPOCH
        else:
            self._epoch = 1 if self._epoch == _LAST_EPOCH else self._epoch + 1

    def end(self) -> None:
        """Begin anew: what the broker knows is uncertain."""
        self._epoch = FIRST_EPOCH
