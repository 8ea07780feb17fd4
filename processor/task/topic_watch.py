"""Noticing that a topic was deleted, or deleted and made anew, while the process runs."""

import logging
from collections.abc import Mapping

from processor.errors import TaskLost, UsageError
from processor.reader.ports import Clock
from processor.task.ports import Broker

_log = logging.getLogger(__name__)

_INTERVAL_MS = 2_000
# A broker that lags behind shows an older state, but not for so many looks.
_LOOKS_WITHOUT = 3


class TopicWatch:
    """Compares the topics' ids with those at the start, again and again."""

    def __init__(self, broker: Broker, clock: Clock) -> None:
        self._broker = broker
        self._clock = clock
        self._known: dict[str, str] = {}
        self._looks_without: dict[str, int] = {}

    async def run(self) -> UsageError:
        """Watch until a topic is another one.

        Returns:
            The error that names it.
        """
        while True:
            try:
                found = await self._broker.topic_ids()
            except TaskLost as error:
                _log.debug("asking for the topics' ids: %s", error)
            else:
                changed = self._changed(found)
                if changed is not None:
                    return UsageError(topic_made_anew(changed))
                self._known = {**found, **self._known}
                self._note_missing(found)
            await self._clock.sleep(_INTERVAL_MS)

    def _note_missing(self, found: Mapping[str, str]) -> None:
        """Say once of a topic that it is gone: without it nothing can be committed."""
        self._looks_without = {
            name: self._looks_without.get(name, 0) + 1 for name in self._known if name not in found
        }
        for name, looks in self._looks_without.items():
            if looks == _LOOKS_WITHOUT:
                _log.warning("%s", topic_gone(name))

    def _changed(self, found: Mapping[str, str]) -> str | None:
        return first_changed(self._known, found)


def first_changed(known: Mapping[str, str], found: Mapping[str, str]) -> str | None:
    """The name of a topic that has another id than it had; None if there is none.

    A topic that is missing may come back as it was: a broker that lags behind does not show it.
    """
    return next((name for name in known if found.get(name, known[name]) != known[name]), None)


def topic_gone(name: str) -> str:
    """What to say of a topic that was there."""
    return (
        f"{name}: no such topic any more; if it was deleted, the records are lost that belong to "
        "those of the other topics: start with a new --topic-prefix"
    )


def topic_made_anew(name: str) -> str:
    """The sentence about a topic that has another id than it had."""
    return (
        f"{name} was deleted and made anew, so it has not the records that belong to those of the "
        "other topics: start with a new --topic-prefix"
    )
