"""A group whose coordinator is away: every stream asks, and one line says it."""

import logging
from typing import Any, cast

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, NodeNotReadyError

from processor.kafka.connection import Connection
from processor.kafka.group import GroupSettings, KafkaGroup


class Away:
    """An admin client that fails, or knows no members."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    async def describe_consumer_groups(self, _: list[str]) -> list[Any]:
        """Part of `AIOKafkaAdminClient`."""
        if self.error is not None:
            raise self.error
        return []


async def test_the_same_complaint_is_said_once_until_the_coordinator_has_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    admin = Away()
    group = KafkaGroup(
        Connection("127.0.0.1:1"),
        cast("AIOKafkaAdminClient", admin),
        group_id="app",
        events_topic="orders.events",
        settings=GroupSettings(),
    )
    for error in (NodeNotReadyError(), NodeNotReadyError(), KafkaConnectionError(), None):
        admin.error = error
        assert not await group.owns(0)
    admin.error = KafkaConnectionError()
    assert not await group.owns(1)
    assert [one.message for one in caplog.records] == [
        "asking for the members of app: NodeNotReadyError",
        "asking for the members of app: KafkaConnectionError",
        "asking for the members of app: KafkaConnectionError",
    ]
