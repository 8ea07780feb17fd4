"""A reader of one partition of some topics, over the shared fetch session."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from aiokafka.errors import KafkaError

from processor.kafka.batch_records import FetchedRecord
from processor.kafka.fetching.reading import Reading
from processor.kafka.record_cursor import RecordCursor

Translate = Callable[[str], AbstractContextManager[None]]
"""Translates the client library's errors, given what is being done."""


class ReadingSource(Protocol):
    """Where readings come from."""

    def took(self, reading: Reading) -> None:
        """Note that a reading may have room again."""

    def error(self, reading: Reading) -> Exception | None:
        """Why a reading gets no more records, if it does not."""

    def forget(self, reading: Reading) -> None:
        """Stop a reading. Harmless for one that is stopped."""


class FetchReader:
    """Reads committed records; an `InputReader`."""

    def __init__(
        self, source: ReadingSource, readings: Sequence[Reading], translate: Translate
    ) -> None:
        self._source = source
        self._readings = {reading.topic: reading for reading in readings}
        # The one that gave records last stands last.
        self._cursors = {reading.topic: RecordCursor(reading) for reading in readings}
        self._translate = translate
        self._name = ", ".join(f"{reading.topic}/{reading.partition}" for reading in readings)
        self._woken = asyncio.Event()

    async def fetch(
        self, *, max_records: int, timeout_ms: int, topics: Collection[str] | None = None
    ) -> Mapping[str, Sequence[FetchedRecord]]:
        """The next records of those topics that have any.

        It ends early and empty when a position has moved past markers or aborted records alone.

        Args:
            max_records: of all topics together.
            timeout_ms: how long to wait where there are none.
            topics: the only ones to take records of; all, unless given.

        Raises:
            KafkaError: as translated; once all that was read before is handed out.
            TopicGone: a topic was deleted, or made anew.
        """
        with self._translate(f"reading {self._name}"):
            try:
                async with asyncio.timeout(timeout_ms / 1000):
                    return await self._next(max_records, topics or self._readings)
            except TimeoutError:
                # Nothing is taken between the end of a wait and here.
                return {}

    async def _next(
        self, max_records: int, topics: Collection[str]
    ) -> Mapping[str, Sequence[FetchedRecord]]:
        while True:
            self._woken.clear()
            before = self._positions()
            found = self._take(max_records, topics)
            if self._positions() != before:
                return found
            self._require_hearing()
            await self._woken.wait()

    def _positions(self) -> list[int]:
        return [self._cursors[topic].position for topic in self._readings]

    def _take(self, max_records: int, topics: Collection[str]) -> dict[str, list[FetchedRecord]]:
        """The buffered records. No await: records that were taken cannot get lost."""
        found: dict[str, list[FetchedRecord]] = {}
        left = max_records
        for topic in [one for one in self._cursors if one in topics]:
            try:
                records = self._cursors[topic].take(left)
            except KafkaError:
                # It comes again at the next call.
                if not found:
                    raise
                break
            if records:
                found[topic] = records
                left -= len(records)
                self._took(topic)
        return found

    def _took(self, topic: str) -> None:
        self._cursors[topic] = self._cursors.pop(topic)
        self._source.took(self._readings[topic])

    def _require_hearing(self) -> None:
        for reading in self._readings.values():
            error = self._source.error(reading)
            if error is not None:
                raise error

    def wake(self) -> None:
        """Look again: there is something to take, or to be told."""
        self._woken.set()

    def position(self, topic: str) -> int:
        """The next offset; past transaction markers and holes, too."""
        return self._cursors[topic].position

    def lag(self, topic: str) -> int:
        """How far the position is from the end of what is decided, as last heard of."""
        end = self._readings[topic].last_stable_offset
        return 0 if end is None else max(end - self.position(topic), 0)

    async def close(self) -> None:
        """Stop reading. Never raises."""
        for reading in self._readings.values():
            self._source.forget(reading)
