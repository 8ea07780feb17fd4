"""Noticing that partitions get other leaders."""

from types import SimpleNamespace
from typing import cast

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from processor.kafka.leaders import Leaders
from processor.kafka.offsets_partition import offsets_partition
from processor.topics import Topics
from tests.unit.coordinator import ScriptedAdmin

_LIVE = TopicPartition("orders.live", 0)


def metadata(epoch: int, leader: int = 1) -> SimpleNamespace:
    """An answer to Metadata with one partition."""
    return SimpleNamespace(
        topics=[(0, _LIVE.topic, False, [(0, _LIVE.partition, leader, epoch, [1], [1], [])])]
    )


@pytest.mark.parametrize(
    ("answers", "moves"),
    [
        ([metadata(5)], 0),
        ([metadata(5), metadata(5)], 0),
        ([metadata(5), metadata(6)], 1),
        ([metadata(5), metadata(6, leader=-1), metadata(7)], 2),
        ([metadata(5), metadata(6), metadata(5), metadata(6)], 1),
    ],
)
async def test_a_move_is_a_higher_leader_epoch(answers: list[SimpleNamespace], moves: int) -> None:
    leaders = Leaders(cast("AIOKafkaAdminClient", ScriptedAdmin(answers)), Topics("orders."))
    for _ in answers:
        await leaders.look()
    assert leaders.moves == moves


async def test_a_partition_without_a_leader_has_no_epoch() -> None:
    admin = ScriptedAdmin([metadata(6, leader=-1)])
    leaders = Leaders(cast("AIOKafkaAdminClient", admin), Topics("orders."))
    assert await leaders.look() == {_LIVE: None}


@pytest.mark.parametrize(
    ("group_id", "java_hash"),
    [("hello", 99_162_322), ("", 0), ("polygenelubricants", 0), ("zzzzzzzz", 1_910_022_912)],
)
def test_a_group_finds_its_partition_by_its_hash_in_java(group_id: str, java_hash: int) -> None:
    assert offsets_partition(group_id, 2**31) == java_hash
    assert offsets_partition(group_id, 50) == java_hash % 50
