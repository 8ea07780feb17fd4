"""The contract's backend in memory."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from processor.topics import Topics
from processor.wire.record import Record
from tests.fakes.broker import FakeBroker, FakeTransactions
from tests.fakes.group import FakeGroup, FakeMember
from tests.fakes.kafka import FakeKafka
from tests.fakes.link import Hold


class FakeProcess:
    """A `Process` on the fakes."""

    def __init__(self, kafka: FakeKafka, group: FakeMember) -> None:
        self.broker = FakeBroker(kafka)
        self.group = group
        self._kafka = kafka

    def transactions(self, name: str = "one") -> FakeTransactions:
        """Part of `Process`."""
        return FakeTransactions(self.broker.link, self._kafka, self.broker.app_id, name)

    def hold_end(self) -> Hold:
        """Part of `Process`."""
        return self.broker.link.hold("end")


class FakeBackend:
    """A `Backend` on the fakes."""

    raises_epochs = True
    tells_offsets_apart = True

    def __init__(self, num_streams: int) -> None:
        self.topics = Topics()
        self._kafka = FakeKafka(num_streams, topics=self.topics)
        self._kafka.group = self._group = FakeGroup(num_streams)

    async def process(self) -> FakeProcess:
        """Part of `Backend`."""
        return FakeProcess(self._kafka, self._group.member())

    async def append(self, topic: str, partition: int, records: Sequence[Record]) -> None:
        """Part of `Backend`."""
        self._kafka.append(topic, partition, records)

    async def grow(self, num_streams: int) -> None:
        """Part of `Backend`."""
        await self._group.grow(num_streams)

    async def recreate(self, topic: str) -> None:
        """Part of `Backend`."""
        self._kafka.recreate(topic)

    async def delete_before(self, topic: str, partition: int, offset: int) -> None:
        """Part of `Backend`."""
        self._kafka.log(topic, partition).delete_before(offset)


@asynccontextmanager
async def open_fake(num_streams: int) -> AsyncIterator[FakeBackend]:
    """An empty one."""
    yield FakeBackend(num_streams)
