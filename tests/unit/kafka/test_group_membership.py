"""What the group's coordinator says of a member, and what is said when it does not answer."""

import logging
from typing import Any, cast

import pytest
from aiokafka.client import CoordinationType
from aiokafka.errors import KafkaConnectionError, NodeNotReadyError
from aiokafka.protocol.group import HeartbeatResponse_v0

from processor.kafka.cluster import Cluster
from processor.kafka.connection import Connection
from processor.kafka.group import GroupSettings, KafkaGroup
from processor.task.ports import Membership

ME = Membership("me", 4)
_KEY = CoordinationType.GROUP, "app"


class Coordinator:
    """A `Cluster` whose group coordinator answers from a script."""

    def __init__(self, *answers: int | Exception) -> None:
        self.forgotten = 0
        self.requests: list[Any] = []
        self._answers = list(answers)

    async def ask_coordinator(self, kind: CoordinationType, key: str, request: Any) -> Any:
        """Part of `Cluster`."""
        assert (kind, key) == _KEY
        self.requests.append(request.prepare({12: (0, 0)}))
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return HeartbeatResponse_v0(answer)

    def forget_coordinator(self, kind: CoordinationType, key: str) -> None:
        """Part of `Cluster`."""
        assert (kind, key) == _KEY
        self.forgotten += 1

    def group(self) -> KafkaGroup:
        """A process's view of it."""
        return KafkaGroup(
            Connection("127.0.0.1:1"),
            cast("Cluster", self),
            group_id="app",
            events_topic="orders.events",
            settings=GroupSettings(),
        )


@pytest.mark.parametrize(
    ("code", "is_member", "forgets"),
    [
        (0, True, 0),
        (27, True, 0),  # REBALANCE_IN_PROGRESS: the last generation is still the current one
        (22, False, 0),  # ILLEGAL_GENERATION
        (25, False, 0),  # UNKNOWN_MEMBER_ID
        (14, False, 1),  # COORDINATOR_LOAD_IN_PROGRESS
        (15, False, 1),  # COORDINATOR_NOT_AVAILABLE
        (16, False, 1),  # NOT_COORDINATOR
        (30, False, 0),  # GROUP_AUTHORIZATION_FAILED
    ],
)
async def test_a_member_is_one_of_whom_the_coordinator_says_so(
    code: int, is_member: bool, forgets: int
) -> None:
    coordinator = Coordinator(code)
    assert await coordinator.group().is_member(ME) is is_member
    assert coordinator.forgotten == forgets
    [sent] = coordinator.requests
    assert (sent.group, sent.generation_id, sent.member_id) == ("app", 4, "me")


async def test_the_same_complaint_is_said_once_until_the_coordinator_has_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    away = NodeNotReadyError(), NodeNotReadyError(), KafkaConnectionError()
    group = Coordinator(*away, 25, KafkaConnectionError()).group()
    assert [await group.is_member(ME) for _ in range(5)] == [False] * 5
    assert [one.message for one in caplog.records] == [
        "asking the coordinator of app: NodeNotReadyError",
        "asking the coordinator of app: KafkaConnectionError",
        "asking the coordinator of app: KafkaConnectionError",
    ]
