"""Metadata and ListOffsets on the wire."""

from typing import Any

import pytest

from processor.kafka.cluster_view import BrokerAddress, Leader, TopicMetadata
from processor.kafka.protocol.list_offsets import (
    EARLIEST,
    READ_COMMITTED,
    ListedOffset,
    ListOffsetsRequest,
    ListOffsetsResponseV5,
)
from processor.kafka.protocol.metadata import (
    MetadataRequest,
    MetadataResponseV7,
    MetadataResponseV12,
    metadata_of,
)
from processor.kafka.protocol.uuids import NO_UUID, Uuid

ID = b"i" * 16
BROKER = (1, "host", 9092, None)


def test_topics_are_asked_for_by_name_and_are_not_created() -> None:
    struct = MetadataRequest(["a", "b"]).prepare({3: (0, 13)})
    assert (struct.API_VERSION, struct.FLEXIBLE_VERSION) == (12, True)
    # Two topics, each without an id, then two flags that are off, and no tags.
    assert struct.encode() == (
        b"\3" + NO_UUID + b"\2a\0" + NO_UUID + b"\2b\0" + b"\0" + b"\0" + b"\0"
    )


def test_an_older_broker_is_asked_without_ids() -> None:
    struct = MetadataRequest(["a"]).prepare({3: (0, 9)})
    assert struct.API_VERSION == 7
    assert struct.encode() == b"\0\0\0\1\0\1a\0"


def test_an_answer_with_ids() -> None:
    partitions: list[Any] = [
        (0, 0, 1, 5, [1], [1], [], {}),
        (5, 1, -1, 6, [1], [], [1], {}),
    ]
    topics: list[Any] = [
        (0, "a", ID, False, partitions, -1, {}),
        (3, "gone", NO_UUID, False, [], -1, {}),
    ]
    struct = MetadataResponseV12(0, [(*BROKER, {})], "cluster", 1, topics, {})
    found = metadata_of(MetadataResponseV12.decode(struct.encode()))
    assert (found.brokers, found.controller) == ([BrokerAddress(*BROKER)], 1)
    assert found.topics == [
        TopicMetadata("a", ID, 0, {0: Leader(1, 5), 1: Leader(-1, 6)}),
        TopicMetadata("gone", None, 3, {}),
    ]


def test_an_answer_without_ids() -> None:
    topics: list[Any] = [(0, "a", False, [(0, 0, 1, 5, [1], [1], [])])]
    struct = MetadataResponseV7(0, [BROKER], "cluster", 1, topics)
    found = metadata_of(MetadataResponseV7.decode(struct.encode()))
    assert found.topics == [TopicMetadata("a", None, 0, {0: Leader(1, 5)})]


def test_offsets_are_asked_of_a_leader_of_an_epoch() -> None:
    request = ListOffsetsRequest({"a": [(0, 5), (1, 6)]}, READ_COMMITTED, EARLIEST)
    struct: Any = request.prepare({2: (1, 11)})
    assert (struct.replica_id, struct.isolation_level) == (-1, 1)
    assert struct.topics == [("a", [(0, 5, -2), (1, 6, -2)])]
    struct.encode()


def test_listed_offsets() -> None:
    topics: list[Any] = [("a", [(0, 0, -1, 7, 5), (1, 6, -1, -1, -1)])]
    found = ListOffsetsResponseV5.decode(ListOffsetsResponseV5(0, topics).encode())
    assert found.listed() == [ListedOffset("a", 0, 0, 7), ListedOffset("a", 1, 6, -1)]


def test_a_uuid_has_16_bytes() -> None:
    with pytest.raises(ValueError, match="15 bytes"):
        Uuid.encode(bytes(15))
