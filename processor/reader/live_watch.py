"""The live orders of some streams, kept up to date for ever."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import NoReturn, Protocol

from processor.core.orders.merge import merge_streams
from processor.core.orders.order import Order
from processor.errors import OffsetGone, TaskLost
from processor.reader.follow import Place, follow
from processor.reader.live_list import ReadStream, put, read_streams
from processor.reader.ports import Clock, Log
from processor.reader.view_change import ViewChange
from processor.topics import Topics
from processor.wire.record import InputRecord

_RETRY_S = 1.0


class Watcher(Protocol):
    """A listener that is told of changes. Must not wait."""

    def on_change(self, stream: int, change: ViewChange, timestamp_ms: int | None) -> None:
        """A committed change, and the time of its record where that was seen."""

    def on_away(self, error: TaskLost | OffsetGone) -> None:
        """The broker does not answer: it is tried again and again."""

    def on_back(self) -> None:
        """The broker answers again, and nothing was missed."""

    def on_turn(self) -> None:
        """Now and then; whatever it raises ends the watch."""


class LiveWatch:
    """The lists of some streams: first read, then followed."""

    def __init__(
        self,
        log: Log,
        topics: Topics,
        streams: Iterable[int],
        clock: Clock,
        *,
        max_snapshot_age_ms: int,
    ) -> None:
        """Begin with empty lists.

        Args:
            log: where to read.
            topics: the topics' names.
            streams: which streams to watch.
            clock: the time.
            max_snapshot_age_ms: no older snapshot is used, and after a longer time without
                reading the lists are read anew: tombstones may be gone by then.
        """
        self._log = log
        self._topics = topics
        self._streams = list(streams)
        self._clock = clock
        self._max_snapshot_age_ms = max_snapshot_age_ms
        self._read: dict[int, ReadStream] = {}

    async def read(self) -> list[tuple[int, Order]]:
        """Read the lists as of now; pairs of stream and order, merged as lists are."""
        self._read = await self._read_all()
        return merge_streams((stream, one.view.orders()) for stream, one in self._read.items())

    async def follow(self, watcher: Watcher) -> NoReturn:
        """Tell of every change after `read`, for ever."""
        while True:
            offsets = {stream: one.next_offset for stream, one in self._read.items()}
            place = Place(self._topics.live, offsets, self._max_snapshot_age_ms)
            try:
                await follow(self._log, place, self._clock, _Views(self, watcher))
            except OffsetGone:
                await self._read_anew(watcher)

    async def _read_anew(self, watcher: Watcher) -> None:
        """Read the lists again and tell what became of what was known."""
        fresh: dict[int, ReadStream] | None = None
        while fresh is None:
            try:
                fresh = await self._read_all()
            except (TaskLost, OffsetGone) as error:
                watcher.on_away(error)
                watcher.on_turn()
                await asyncio.sleep(_RETRY_S)
        watcher.on_back()
        for stream, one in fresh.items():
            for change in self._read[stream].view.changes_to(one.view):
                watcher.on_change(stream, change, None)
        self._read = fresh

    async def _read_all(self) -> dict[int, ReadStream]:
        oldest_us = self._clock.now_us() - 1000 * self._max_snapshot_age_ms
        return await read_streams(
            self._log, self._topics, self._streams, oldest_snapshot_us=oldest_us
        )

    def take(self, stream: int, record: InputRecord) -> list[ViewChange]:
        """Bring a stream's list up to date by its next record."""
        return put(self._read[stream].view, self._topics, stream, record)


class _Views:
    """An `Audience`: turns records into changes."""

    def __init__(self, watch: LiveWatch, watcher: Watcher) -> None:
        self._watch = watch
        self._watcher = watcher
        self.on_away = watcher.on_away
        self.on_back = watcher.on_back
        self.on_turn = watcher.on_turn

    def on_records(self, partition: int, records: Sequence[InputRecord]) -> None:
        for record in records:
            for change in self._watch.take(partition, record):
                self._watcher.on_change(partition, change, record.timestamp)
