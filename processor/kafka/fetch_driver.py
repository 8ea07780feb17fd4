"""The fetch session over aiokafka's connections: one for all readers of a process."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from enum import IntEnum
from typing import Any, Final

from aiokafka.client import AIOKafkaClient

from processor.kafka.batch_records import is_intact
from processor.kafka.cluster_view import ClusterView
from processor.kafka.cluster_watch import ClusterWatch
from processor.kafka.fetch_errors import error_of
from processor.kafka.fetch_reader import FetchReader, Translate
from processor.kafka.fetching.limits import FetchLimits
from processor.kafka.fetching.reading import Reading, State
from processor.kafka.fetching.session import FetchSession
from processor.kafka.fetching.values import Fetch, Lane
from processor.kafka.protocol.fetch import FetchRequest

_log = logging.getLogger(__name__)


class _ConnectionGroup(IntEnum):
    """Connections of our own to each broker, beside aiokafka's groups 0 and 1."""

    MAIN = 10
    EXTRA = 11


_GROUPS: Final = {Lane.MAIN: _ConnectionGroup.MAIN, Lane.EXTRA: _ConnectionGroup.EXTRA}


def _untranslated(_doing: str) -> AbstractContextManager[None]:
    return nullcontext()


class Fetcher:
    """Sends what a fetch session asks for, and wakes the readers."""

    def __init__(
        self,
        client: AIOKafkaClient,
        view: ClusterView,
        watch: ClusterWatch,
        *,
        limits: FetchLimits | None = None,
        translate: Translate = _untranslated,
    ) -> None:
        """Share a client.

        Args:
            client: started, and closed by whoever made it.
            view: of the cluster.
            watch: keeps the view up to date, and runs for as long as there are readers.
            limits: bounds of memory and time.
            translate: turns aiokafka's errors into those of the readers' port.
        """
        self._client = client
        self._watch = watch
        self._translate = translate
        self._session = FetchSession(view, limits or FetchLimits(), is_intact)
        self._loop = asyncio.get_running_loop()
        self._readers: dict[Reading, FetchReader] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self._soon: asyncio.Handle | None = None
        self._later: asyncio.TimerHandle | None = None
        self._is_closed = False
        watch.on_update(self._pump_soon)

    def open(
        self,
        partition: int,
        offsets: Mapping[str, int],
        topic_ids: Mapping[str, bytes] | None = None,
    ) -> FetchReader:
        """Read a partition of some topics.

        Args:
            partition: its number.
            offsets: where to begin, by topic.
            topic_ids: the ids that the topics must have; those that they have now unless said.
        """
        ids = topic_ids or {}
        self._watch.add(offsets)
        readings = [
            self._session.open(topic, partition, offset, ids.get(topic))
            for topic, offset in offsets.items()
        ]
        reader = FetchReader(self, readings, self._translate)
        self._readers.update(dict.fromkeys(readings, reader))
        self._pump_soon()
        return reader

    def took(self, reading: Reading) -> None:
        """Part of `ReadingSource`."""
        # One that is under way is asked again anyway.
        if reading.state is State.READY:
            self._pump_soon()

    def error(self, reading: Reading) -> Exception | None:
        """Part of `ReadingSource`."""
        failure = self._session.failure(reading, self._now_ms())
        return None if failure is None else error_of(reading, failure)

    def forget(self, reading: Reading) -> None:
        """Part of `ReadingSource`."""
        self._session.close(reading)
        self._readers.pop(reading, None)

    async def close(self) -> None:
        """End all requests. Readers that are left wait in vain."""
        self._is_closed = True
        for handle in (self._soon, self._later):
            if handle is not None:
                handle.cancel()
        for sending in self._sending:
            sending.cancel()
        if self._sending:
            await asyncio.wait(self._sending)

    def _now_ms(self) -> int:
        return int(self._loop.time() * 1000)

    def _pump_soon(self) -> None:
        """Send in the next turn of the loop, with all that comes until then."""
        if self._soon is None and not self._is_closed:
            self._soon = self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        self._soon = None
        for request in self._session.requests(self._now_ms()):
            if isinstance(request, Fetch):
                self._send_soon(request)
            else:
                self._watch.refresh()
        self._wake_readers()
        self._schedule(self._session.wake_ms)

    def _send_soon(self, request: Fetch) -> None:
        sending = self._loop.create_task(self._send(request))
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)

    async def _send(self, request: Fetch) -> None:
        try:
            answer: Any = await self._client.send(
                request.node, FetchRequest(request), group=_GROUPS[request.lane]
            )
        # Whatever it is: a request that stays under way for ever would be silence.
        except Exception as error:
            _log.debug("fetching from node %s: %r", request.node, error)
            self._session.lost(request, self._now_ms())
        else:
            self._session.answered(request, answer.fetched, self._now_ms())
        if not self._is_closed:
            self._pump()

    def _wake_readers(self) -> None:
        for reading in self._session.changed():
            reader = self._readers.get(reading)
            if reader is not None:
                reader.wake()

    def _schedule(self, wake_ms: int | None) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if wake_ms is not None:
            # A millisecond later, for times are cut to whole ones.
            self._later = self._loop.call_at((wake_ms + 1) / 1000, self._pump_soon)
