"""A consumer whose fetching routine has ended, which the client library does not tell of."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import TopicPartition

from processor.errors import FootingLost
from processor.kafka.connection import Connection
from processor.kafka.reader import KafkaInputReader

_WHERE = TopicPartition("orders.events", 6)


class _Consumer:
    """Finds nothing, as a consumer does that has nothing to read, or does not fetch any more."""

    def __init__(self) -> None:
        self.fetching: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._fetcher = SimpleNamespace(error_future=self.fetching)

    async def getmany(self, *_: TopicPartition, **__: int) -> dict[TopicPartition, list[Any]]:
        """Part of `AIOKafkaConsumer`."""
        return {}

    async def position(self, _: TopicPartition) -> int:
        """Part of `AIOKafkaConsumer`."""
        return 0


async def test_a_reader_that_would_never_read_again_says_so() -> None:
    consumer = _Consumer()
    reader = KafkaInputReader(Connection("127.0.0.1:1"), cast(Any, consumer), {_WHERE: 0})
    assert await reader.fetch(max_records=1, timeout_ms=0) == {}
    consumer.fetching.set_result(None)
    with pytest.raises(FootingLost, match=r"reading orders\.events/6: .*stopped fetching"):
        await reader.fetch(max_records=1, timeout_ms=0)
