"""The one task of a process that asks for metadata: of our topics, and of no others."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from random import sample
from typing import Any, Final

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from processor.kafka.cluster_client import ClusterClient
from processor.kafka.cluster_view import ClusterView
from processor.kafka.protocol.metadata import MetadataRequest, metadata_of

_log = logging.getLogger(__name__)

_POLL_S: Final = 1.0
# So close may two requests follow each other.
_SPACING_S: Final = 0.02


class ClusterWatch:
    """Keeps a view up to date: at once when told, and every second.

    Attributes:
        losses: how often a connection was lost, or a broker could not be reached.
    """

    def __init__(
        self,
        client: ClusterClient,
        view: ClusterView,
        topics: Iterable[str],
        *,
        answer_timeout_ms: int = 2_000,
    ) -> None:
        """Watch some topics.

        Args:
            client: started, and closed by whoever made it.
            view: takes in the answers.
            topics: their names; more can be added.
            answer_timeout_ms: the time after which another broker is asked.
        """
        self._answer_timeout_s = answer_timeout_ms / 1000
        self.losses = 0
        self._brokers = client
        self._client: AIOKafkaClient = client
        self._view = view
        self._topics = set(topics)
        self._wanted = asyncio.Event()
        self._listeners: list[Callable[[], None]] = []

    def on_update(self, listener: Callable[[], None]) -> None:
        """Call a function after each answer."""
        self._listeners.append(listener)

    def add(self, topics: Iterable[str]) -> None:
        """Ask for these topics, too."""
        if not self._topics.issuperset(topics):
            self._topics.update(topics)
            self.refresh()

    def refresh(self) -> None:
        """Ask at once."""
        self._wanted.set()

    def _on_stale(self) -> None:
        self.losses += 1
        self.refresh()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Ask for as long as the block runs."""
        self._brokers.on_stale = self._on_stale
        asking = asyncio.create_task(self._run())
        try:
            yield
        finally:
            asking.cancel()
            await asyncio.wait([asking])

    async def _run(self) -> None:
        while True:
            self._wanted.clear()
            await self.look()
            await asyncio.sleep(_SPACING_S)
            try:
                async with asyncio.timeout(_POLL_S):
                    await self._wanted.wait()
            except TimeoutError:
                pass

    async def look(self) -> bool:
        """Ask one broker after the other until one answers; returns whether one did."""
        nodes = [broker.nodeId for broker in self._client.cluster.brokers()]
        for node in sample(nodes, len(nodes)):
            try:
                # A broker that hangs must not hide what the others know.
                async with asyncio.timeout(self._answer_timeout_s):
                    request = MetadataRequest(list(self._topics))
                    response: Any = await self._client.send(node, request)
            except (KafkaError, OSError, TimeoutError) as error:
                _log.debug("asking node %s for metadata: %r", node, error)
                continue
            metadata = metadata_of(response)
            self._brokers.learn_brokers(metadata.brokers, metadata.controller)
            self._view.learn(metadata)
            for listener in self._listeners:
                listener()
            return True
        return False
