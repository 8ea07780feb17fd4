"""The kinds of broker that the contract is checked on."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import pytest

from processor.task.ports import Broker, Group, Transactions
from processor.topics import Topics
from processor.wire.record import Record
from tests.contract.fake_backend import open_fake
from tests.contract.kafka_backend import open_kafka
from tests.fakes.link import Hold

NUM_STREAMS = 2


class Process(Protocol):
    """The ports of one process."""

    @property
    def broker(self) -> Broker: ...

    @property
    def group(self) -> Group: ...

    def transactions(self, name: str = "one") -> Transactions:
        """Those of an id of that name, which processes share; not acquired."""

    def hold_end(self) -> Hold:
        """Let the next transaction wait when all is written and only its end is missing."""


class Backend(Protocol):
    """A broker with empty topics, and what tests must do to it that no port can."""

    @property
    def topics(self) -> Topics: ...

    @property
    def raises_epochs(self) -> bool:
        """Whether each transaction has an epoch of its own (version 2)."""

    @property
    def tells_offsets_apart(self) -> bool:
        """Whether an open transaction makes those offsets of a group wait that it has itself."""

    async def process(self) -> Process:
        """One more process."""

    async def append(self, topic: str, partition: int, records: Sequence[Record]) -> None:
        """Write without a transaction, as producers of events do."""

    async def grow(self, num_streams: int) -> None:
        """Add partitions to the topic of events."""

    async def recreate(self, topic: str) -> None:
        """Delete a topic and make it anew."""

    async def delete_before(self, topic: str, partition: int, offset: int) -> None:
        """Do what retention does."""


OpenBackend = Callable[[pytest.FixtureRequest], AbstractAsyncContextManager[Backend]]


def _fake(request: pytest.FixtureRequest) -> AbstractAsyncContextManager[Backend]:
    return open_fake(NUM_STREAMS)


def _kafka(request: pytest.FixtureRequest) -> AbstractAsyncContextManager[Backend]:
    return open_kafka(request.getfixturevalue("real_bootstrap"), NUM_STREAMS)


def _embedded(request: pytest.FixtureRequest) -> AbstractAsyncContextManager[Backend]:
    return open_kafka(
        request.getfixturevalue("embedded_bootstrap"), NUM_STREAMS, tells_offsets_apart=False
    )


BACKENDS = [
    pytest.param(_fake, id="fake"),
    pytest.param(_embedded, id="embedded", marks=pytest.mark.kafka),
    pytest.param(_kafka, id="kafka", marks=pytest.mark.kafka),
]
"""Another kind of broker is another line here."""
