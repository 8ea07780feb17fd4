"""Which partitions have a leader, and whether any lost its leader meanwhile."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

from processor.topics import Topics

_log = logging.getLogger(__name__)

OFFSETS_TOPIC: Final = "__consumer_offsets"
# A move that nothing else tells of holds up readers for so long.
_POLL_S = 1
_POLL_TIMEOUT_S = 10


class _MetadataResponseV7(Response):
    API_KEY = 3
    API_VERSION = 7
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            Array(
                ("node_id", Int32),
                ("host", String("utf-8")),
                ("port", Int32),
                ("rack", String("utf-8")),
            ),
        ),
        ("cluster_id", String("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String("utf-8")),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
            ),
        ),
    )


class _MetadataRequestV7(RequestStruct):
    API_KEY = 3
    API_VERSION = 7
    RESPONSE_TYPE = _MetadataResponseV7
    SCHEMA = Schema(("topics", Array(String("utf-8"))), ("allow_auto_topic_creation", Boolean))


class _MetadataRequest(Request[_MetadataRequestV7]):
    """aiokafka's own has no leader epochs."""

    API_KEY = 3

    def __init__(self, topics: tuple[str, ...]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_MetadataRequestV7]) -> _MetadataRequestV7:
        return request_struct_class(self._topics, False)


class Leaders:
    """The leader epochs of our topics and of the groups' offsets.

    Whenever a partition loses its leader, or gets another one, its epoch goes up.
    """

    def __init__(self, admin: AIOKafkaAdminClient, topics: Topics) -> None:
        self.moves = 0
        """How often an epoch was seen to have gone up."""
        self._admin = admin
        self._names = (*topics.all, OFFSETS_TOPIC)
        self._known: dict[TopicPartition, int] = {}

    async def look(self, node: int | None = None) -> Mapping[TopicPartition, int | None]:
        """The epoch of each partition that a node knows and shows us, None without a leader.

        Args:
            node: which broker's view; any broker's unless said.

        Raises:
            KafkaError: it does not answer.
        """
        response: Any = await self._admin._send_request(_MetadataRequest(self._names), node)
        found: dict[TopicPartition, int | None] = {}
        moved = False
        for _code, topic, _internal, partitions in response.topics:
            for _code, partition, leader, epoch, *_ in partitions:
                where = TopicPartition(topic, partition)
                found[where] = epoch if leader >= 0 else None
                moved |= epoch > self._known.get(where, epoch)
                # A broker that lags behind shows an older one.
                self._known[where] = max(epoch, self._known.get(where, epoch))
        self.moves += moved
        return found

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Look again and again for as long as the block runs."""
        watching = asyncio.ensure_future(self._watch())
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.wait([watching])

    async def _watch(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_POLL_TIMEOUT_S):
                    await self.look()
            except (KafkaError, OSError, TimeoutError) as error:
                _log.debug("looking for the leaders: %r", error)
            await asyncio.sleep(_POLL_S)
