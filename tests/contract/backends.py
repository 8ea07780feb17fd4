"""The kinds of broker that the contract is checked on."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import pytest

from processor.runtime.ports import Broker, Group, OutputRecord
from processor.topics import Topics
from tests.contract.fake_backend import open_fake
from tests.contract.kafka_backend import open_kafka

NUM_STREAMS = 2


class Backend(Protocol):
    """A broker with empty topics, and what tests must do to it that no port can."""

    @property
    def topics(self) -> Topics: ...

    async def broker(self) -> Broker:
        """The broker as one more process sees it."""

    async def member(self) -> Group:
        """The group as one more process sees it."""

    async def append(self, topic: str, partition: int, records: Sequence[OutputRecord]) -> None:
        """Write without a transaction, as producers of events do."""

    async def crash_while_committing(
        self, stream: int, topic: str, records: Sequence[OutputRecord]
    ) -> None:
        """Be an owner who writes records in a transaction and then falls silent for ever."""

    async def grow(self, num_streams: int) -> None:
        """Add partitions to the topic of events."""

    async def delete_before(self, topic: str, partition: int, offset: int) -> None:
        """Do what retention does."""


OpenBackend = Callable[[pytest.FixtureRequest], AbstractAsyncContextManager[Backend]]


def _fake(request: pytest.FixtureRequest) -> AbstractAsyncContextManager[Backend]:
    return open_fake(NUM_STREAMS)


def _kafka(request: pytest.FixtureRequest) -> AbstractAsyncContextManager[Backend]:
    return open_kafka(request.getfixturevalue("real_bootstrap"), NUM_STREAMS)


def _embedded(request: pytest.FixtureRequest) -> AbstractAsyncContextManager[Backend]:
    return open_kafka(request.getfixturevalue("embedded_bootstrap"), NUM_STREAMS)


BACKENDS = [
    pytest.param(_fake, id="fake"),
    pytest.param(_embedded, id="embedded", marks=pytest.mark.kafka),
    pytest.param(_kafka, id="kafka", marks=pytest.mark.kafka),
]
"""Another kind of broker is another line here."""
