"""The contract's backend in memory."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from processor.errors import FootingLost
from processor.runtime.ports import OutputRecord
from processor.topics import Topics
from tests.fakes.broker import FakeBroker
from tests.fakes.group import FakeGroup, FakeMember
from tests.fakes.kafka import FakeKafka
from tests.fakes.link import Fault


class FakeBackend:
    """A `Backend` on the fakes."""

    def __init__(self, num_streams: int) -> None:
        self.topics = Topics(directory_on=True)
        self._kafka = FakeKafka(num_streams, topics=self.topics)
        self._group = FakeGroup(num_streams)

    async def broker(self) -> FakeBroker:
        """Part of `Backend`."""
        return FakeBroker(self._kafka)

    async def member(self) -> FakeMember:
        """Part of `Backend`."""
        return self._group.member()

    async def append(self, topic: str, partition: int, records: Sequence[OutputRecord]) -> None:
        """Part of `Backend`."""
        self._kafka.append(topic, partition, records)

    async def crash_while_committing(
        self, stream: int, topic: str, records: Sequence[OutputRecord]
    ) -> None:
        """Part of `Backend`."""
        broker = FakeBroker(self._kafka)
        broker.link.fail(Fault.HALF, "commit")
        writer = await broker.fence(stream)
        await writer.begin()
        writer.write(topic, records)
        with pytest.raises(FootingLost):
            await writer.commit(0, "never")
        broker.link.cut()

    async def grow(self, num_streams: int) -> None:
        """Part of `Backend`."""
        await self._group.grow(num_streams)

    async def delete_before(self, topic: str, partition: int, offset: int) -> None:
        """Part of `Backend`."""
        self._kafka.log(topic, partition).delete_before(offset)


@asynccontextmanager
async def open_fake(num_streams: int) -> AsyncIterator[FakeBackend]:
    """An empty one."""
    yield FakeBackend(num_streams)
