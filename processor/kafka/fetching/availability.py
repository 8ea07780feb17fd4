"""Whom to ask for each partition, and what its reader is told when nobody can be asked.

| error or state of the metadata               | what becomes of the reading                     |
|----------------------------------------------|-------------------------------------------------|
| `Remedy.ASK_AGAIN`                           | PAUSED for its back-off                         |
| `Remedy.FIND_LEADER`, no answer, no leader   | PAUSED until there is newer metadata and its    |
|                                              | back-off is over or another leader is known     |
| `Remedy.DOUBT_TOPIC`, the topic is missing   | the same; FAILED when that lasts                |
| or has another id                            |                                                 |
| the others, the topic is not for us to see   | FAILED                                          |

A reading that is paused for too long is unheard: its reader is told, but it is asked on.
"""

from typing import Final

from processor.kafka.cluster_view import ClusterView, Leader
from processor.kafka.fetching.limits import FetchLimits
from processor.kafka.fetching.reading import Reading, State
from processor.kafka.fetching.remedies import TELLING, Failure, Remedy, Trouble, remedy_for

_TOPIC_REFUSED: Final = 29


class Availability:
    """Moves readings between their states for all reasons but good answers.

    Attributes:
        wake_ms: the earliest time at which a pause ends, or whatever else was asked for.
        names: the names of all topics that can be asked for, by their ids.
    """

    def __init__(self, view: ClusterView, limits: FetchLimits) -> None:
        self.wake_ms: int | None = None
        self.names: dict[bytes, str] = {}
        self._view = view
        self._limits = limits
        self._changed: set[Reading] = set()
        self._needed_update = 0
        self._refreshed_update = -1

    def wake(self, at_ms: int) -> None:
        """Have the session asked again at a time."""
        self.wake_ms = at_ms if self.wake_ms is None else min(self.wake_ms, at_ms)

    def needs_metadata(self) -> bool:
        """Whether newer metadata has to be asked for; told once for each update."""
        updates = self._view.updates
        if updates >= self._needed_update or updates == self._refreshed_update:
            return False
        self._refreshed_update = updates
        return True

    def change(self, reading: Reading) -> None:
        """Note that there is something for a reader."""
        self._changed.add(reading)

    def take_changed(self) -> set[Reading]:
        """The readings of which that was noted since the last call."""
        found, self._changed = self._changed, set()
        return found

    def failure(self, reading: Reading, now_ms: int) -> Failure | None:
        """The failure to tell its reader now, once all that was buffered is handed out."""
        since_ms = reading.unheard_since_ms
        if reading.failure is not None or since_ms is None:
            return reading.failure
        is_unheard = now_ms - since_ms >= self._limits.silence_ms
        return Failure(Trouble.UNHEARD, reading.last_error_code) if is_unheard else None

    def leader(self, reading: Reading, now_ms: int) -> Leader | None:
        """Whom to ask for a partition now; None if it has to wait."""
        topic_id = self._view.topic_id(reading.topic)
        reading.topic_id = reading.topic_id or topic_id
        is_other = topic_id is not None and topic_id != reading.topic_id
        leader = None if is_other else self._view.leader(*reading.where)
        if reading.state is State.PAUSED and not self._resumes(reading, leader, now_ms):
            self._tell_silence(reading, now_ms)
            return None
        if leader is not None:
            reading.know(leader, topic_id, self._view.updates)
            if topic_id is not None:
                self.names[topic_id] = reading.topic
            return leader
        if reading.topic in self._view.refused:
            self.fail(reading, Failure(Trouble.REFUSED, _TOPIC_REFUSED))
            return None
        is_gone = is_other or reading.topic in self._view.missing
        self._pause(reading, Remedy.DOUBT_TOPIC if is_gone else Remedy.FIND_LEADER, now_ms, now_ms)
        return None

    def _resumes(self, reading: Reading, leader: Leader | None, now_ms: int) -> bool:
        """Whether a pause is over: it is for any leader but the one that failed."""
        if self._view.updates < reading.needed_update:
            return False
        if now_ms >= reading.retry_at_ms or leader not in (None, reading.leader):
            return True
        self.wake(reading.retry_at_ms)
        return False

    def _tell_silence(self, reading: Reading, now_ms: int) -> None:
        """Wake its reader when it has been unheard for too long, even if nothing happens."""
        if self.failure(reading, now_ms) is not None:
            self._changed.add(reading)
        elif reading.unheard_since_ms is not None:
            self.wake(reading.unheard_since_ms + self._limits.silence_ms)

    def err(self, reading: Reading, error_code: int, sent_ms: int, now_ms: int) -> None:
        """Take in an error of a request that was sent at a time."""
        reading.last_error_code = error_code
        remedy = remedy_for(error_code)
        trouble = TELLING.get(remedy)
        if trouble is None:
            self._pause(reading, remedy, sent_ms, now_ms)
        else:
            self.fail(reading, Failure(trouble, error_code))

    def _pause(self, reading: Reading, remedy: Remedy, sent_ms: int, now_ms: int) -> None:
        if remedy is Remedy.DOUBT_TOPIC and reading.doubted_for_ms(now_ms) >= self._limits.gone_ms:
            new_id = self._view.topic_id(reading.topic)
            code = reading.last_error_code
            self.fail(reading, Failure(Trouble.TOPIC_GONE, code, reading.topic_id, new_id))
            return
        needed = 0 if remedy is Remedy.ASK_AGAIN else self._view.updates + 1
        self._needed_update = max(self._needed_update, needed)
        reading.pause(self._limits.pause_ms, now_ms, needed, sent_ms)
        self.wake(reading.retry_at_ms)
        if self.failure(reading, now_ms) is not None:
            self._changed.add(reading)

    def fail(self, reading: Reading, failure: Failure) -> None:
        """Stop asking, and tell the reader."""
        reading.fail(failure)
        self._changed.add(reading)
