"""Where many partitions begin and end: each leader is asked once for all of its partitions."""

import asyncio
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Final

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, RequestTimedOutError, for_code

from processor.kafka.cluster_view import ClusterView
from processor.kafka.cluster_watch import ClusterWatch
from processor.kafka.fetching.remedies import NONE, TELLING, remedy_for
from processor.kafka.protocol.list_offsets import (
    EARLIEST,
    LATEST,
    READ_COMMITTED,
    READ_UNCOMMITTED,
    ListedOffset,
    ListOffsetsRequest,
)
from processor.kafka.transactions.values import TopicPartition

_RETRY_S: Final = 0.02


class End(Enum):
    """An end of a partition: isolation level and timestamp that ask for it."""

    FIRST = (READ_UNCOMMITTED, EARLIEST)
    """Its first offset."""
    STABLE = (READ_COMMITTED, LATEST)
    """The offset after all that is decided: the last stable offset."""
    LAST = (READ_UNCOMMITTED, LATEST)
    """The offset after everything, open transactions included: the high watermark."""


class OffsetLookup:
    """Asks leaders for offsets."""

    def __init__(
        self, client: AIOKafkaClient, view: ClusterView, watch: ClusterWatch, timeout_ms: int
    ) -> None:
        self._client = client
        self._view = view
        self._watch = watch
        self._timeout_s = timeout_ms / 1000

    async def offsets(
        self, end: End, partitions: Iterable[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        """One end of many partitions.

        Raises:
            KafkaError: a leader refuses, or none answers in time.
        """
        left = set(partitions)
        self._watch.add({where.topic for where in left})
        found: dict[TopicPartition, int] = {}
        try:
            async with asyncio.timeout(self._timeout_s):
                while left:
                    found |= await self._ask_leaders(end, left)
                    left -= found.keys()
                    if left:
                        self._watch.refresh()
                        await asyncio.sleep(_RETRY_S)
        except TimeoutError as error:
            missing = ", ".join(sorted(f"{where.topic}/{where.partition}" for where in left))
            raise RequestTimedOutError(f"no leader tells the offsets of {missing}") from error
        return found

    async def _ask_leaders(
        self, end: End, wanted: Iterable[TopicPartition]
    ) -> dict[TopicPartition, int]:
        """Ask once, all leaders at once; without those that have to be asked again."""
        by_node: dict[int, dict[str, list[tuple[int, int]]]] = {}
        for where in wanted:
            leader = self._view.leader(where.topic, where.partition)
            if leader is not None:
                topics = by_node.setdefault(leader.node, {})
                topics.setdefault(where.topic, []).append((where.partition, leader.epoch))
        async with asyncio.TaskGroup() as group:
            asking = [group.create_task(self._ask(end, *one)) for one in by_node.items()]
        listed = [one for task in asking for one in task.result()]
        for one in listed:
            if remedy_for(one.error_code) in TELLING:
                raise for_code(one.error_code)(f"{one.topic}/{one.partition}")
        return {
            TopicPartition(one.topic, one.partition): one.offset
            for one in listed
            if one.error_code == NONE
        }

    async def _ask(
        self, end: End, node: int, partitions: Mapping[str, list[tuple[int, int]]]
    ) -> list[ListedOffset]:
        request = ListOffsetsRequest(partitions, *end.value)
        try:
            response: Any = await self._client.send(node, request)
        except (KafkaError, OSError):
            return []
        listed: list[ListedOffset] = response.listed()
        return listed
