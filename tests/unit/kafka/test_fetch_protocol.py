"""Fetch on the wire, with aiokafka's coding of the same schemas as the judge."""

from io import BytesIO
from typing import Any

import pytest
from aiokafka.protocol.types import (
    Array,
    Bytes,
    CompactArray,
    CompactBytes,
    CompactString,
    Int8,
    Int16,
    Int32,
    Int64,
    Schema,
    String,
    TaggedFields,
)

from processor.kafka.fetching.values import (
    AbortedTransaction,
    AskedPartition,
    Fetch,
    FetchedPartition,
    Lane,
)
from processor.kafka.protocol.fetch import (
    FetchRequest,
    FetchRequestV11,
    FetchRequestV13,
    FetchResponseV11,
    FetchResponseV13,
)
from processor.kafka.protocol.uuids import Uuid

ID_A, ID_B = b"a" * 16, b"b" * 16

ASKED_V11 = Schema(
    ("replica_id", Int32),
    ("max_wait_ms", Int32),
    ("min_bytes", Int32),
    ("max_bytes", Int32),
    ("isolation_level", Int8),
    ("session_id", Int32),
    ("session_epoch", Int32),
    (
        "topics",
        Array(
            ("topic", String()),
            (
                "partitions",
                Array(
                    ("partition", Int32),
                    ("current_leader_epoch", Int32),
                    ("fetch_offset", Int64),
                    ("log_start_offset", Int64),
                    ("partition_max_bytes", Int32),
                ),
            ),
        ),
    ),
    ("forgotten", Array(("topic", String()), ("partitions", Array(Int32)))),
    ("rack_id", String()),
)
ASKED_V13 = Schema(
    ("replica_id", Int32),
    ("max_wait_ms", Int32),
    ("min_bytes", Int32),
    ("max_bytes", Int32),
    ("isolation_level", Int8),
    ("session_id", Int32),
    ("session_epoch", Int32),
    (
        "topics",
        CompactArray(
            ("topic_id", Uuid),
            (
                "partitions",
                CompactArray(
                    ("partition", Int32),
                    ("current_leader_epoch", Int32),
                    ("fetch_offset", Int64),
                    ("last_fetched_epoch", Int32),
                    ("log_start_offset", Int64),
                    ("partition_max_bytes", Int32),
                    ("tags", TaggedFields),
                ),
            ),
            ("tags", TaggedFields),
        ),
    ),
    (
        "forgotten",
        CompactArray(
            ("topic_id", Uuid), ("partitions", CompactArray(Int32)), ("tags", TaggedFields)
        ),
    ),
    ("rack_id", CompactString()),
    ("tags", TaggedFields),
)
ANSWER_V11 = Schema(
    ("throttle_time_ms", Int32),
    ("error_code", Int16),
    ("session_id", Int32),
    (
        "topics",
        Array(
            ("topic", String()),
            (
                "partitions",
                Array(
                    ("partition", Int32),
                    ("error_code", Int16),
                    ("high_watermark", Int64),
                    ("last_stable_offset", Int64),
                    ("log_start_offset", Int64),
                    ("aborted", Array(("producer_id", Int64), ("first_offset", Int64))),
                    ("preferred_read_replica", Int32),
                    ("records", Bytes),
                ),
            ),
        ),
    ),
)


class RawTags:
    """A tag of three bytes, which aiokafka cannot write."""

    @staticmethod
    def encode(value: bool) -> bytes:
        return b"\1\7\3abc" if value else b"\0"


TAGS: Any = RawTags()
ANSWER_V13 = Schema(
    ("throttle_time_ms", Int32),
    ("error_code", Int16),
    ("session_id", Int32),
    (
        "topics",
        CompactArray(
            ("topic_id", Uuid),
            (
                "partitions",
                CompactArray(
                    ("partition", Int32),
                    ("error_code", Int16),
                    ("high_watermark", Int64),
                    ("last_stable_offset", Int64),
                    ("log_start_offset", Int64),
                    (
                        "aborted",
                        CompactArray(
                            ("producer_id", Int64), ("first_offset", Int64), ("tags", TAGS)
                        ),
                    ),
                    ("preferred_read_replica", Int32),
                    ("records", CompactBytes),
                    ("tags", TAGS),
                ),
            ),
            ("tags", TAGS),
        ),
    ),
    ("tags", TAGS),
)


def fetch(*partitions: AskedPartition) -> Fetch:
    forgotten = [asked("b", ID_B, 3), asked("b", ID_B, 4), asked("a", ID_A, 5)]
    by_id = all(one.topic_id is not None for one in partitions)
    return Fetch(1, Lane.MAIN, 500, 4_000_000, by_id, partitions, forgotten, 77, 8)


def asked(topic: str, topic_id: bytes | None, partition: int) -> AskedPartition:
    return AskedPartition(topic, topic_id, partition, 5 + partition, 10**12 + partition, 70_000)


MANY = [asked("a", ID_A, n) for n in range(130)]
REQUESTS = [
    fetch(asked("a", ID_A, 0)),
    fetch(asked("a", ID_A, 0), asked("a", ID_A, 1), asked("b", ID_B, 0)),
    # In the order of the partitions, even where a topic comes twice.
    fetch(asked("a", ID_A, 0), asked("b", ID_B, 0), asked("a", ID_A, 1)),
    fetch(*MANY),
]
RUNS = [
    [("a", ID_A, [0])],
    [("a", ID_A, [0, 1]), ("b", ID_B, [0])],
    [("a", ID_A, [0]), ("b", ID_B, [0]), ("a", ID_A, [1])],
    [("a", ID_A, list(range(130)))],
]


@pytest.mark.parametrize(("request_", "runs"), list(zip(REQUESTS, RUNS, strict=True)))
def test_a_request_by_names(request_: Fetch, runs: Any) -> None:
    topics: list[Any] = [
        (name, [(n, 5 + n, 10**12 + n, -1, 70_000) for n in partitions])
        for name, _id, partitions in runs
    ]
    forgotten = [("b", [3, 4]), ("a", [5])]
    expected = ASKED_V11.encode((-1, 500, 1, 4_000_000, 1, 77, 8, topics, forgotten, ""))
    assert FetchRequestV11(request_).encode() == expected


@pytest.mark.parametrize(("request_", "runs"), list(zip(REQUESTS, RUNS, strict=True)))
def test_a_request_by_ids(request_: Fetch, runs: Any) -> None:
    topics: list[Any] = [
        (topic_id, [(n, 5 + n, 10**12 + n, -1, -1, 70_000, {}) for n in partitions], {})
        for _name, topic_id, partitions in runs
    ]
    forgotten: list[Any] = [(ID_B, [3, 4], {}), (ID_A, [5], {})]
    expected = ASKED_V13.encode((-1, 500, 1, 4_000_000, 1, 77, 8, topics, forgotten, "", {}))
    assert FetchRequestV13(request_).encode() == expected


@pytest.mark.parametrize(("newest", "expected"), [(11, 11), (12, 11), (13, 13), (18, 13)])
def test_the_newest_version_that_the_broker_has(newest: int, expected: int) -> None:
    struct = FetchRequest(REQUESTS[0]).prepare({1: (4, newest)})
    assert int(struct.API_VERSION) == expected
    assert struct.encode() == type(struct)(REQUESTS[0]).encode()


def test_one_topic_without_an_id_and_all_go_by_names() -> None:
    request = fetch(asked("a", ID_A, 0), asked("b", None, 0))
    assert FetchRequest(request).prepare({1: (4, 18)}).API_VERSION == 11


def test_only_the_newer_version_is_flexible() -> None:
    assert not FetchRequestV11.FLEXIBLE_VERSION
    assert FetchRequestV13.FLEXIBLE_VERSION
    assert FetchRequestV11.RESPONSE_TYPE is FetchResponseV11
    assert FetchRequestV13.RESPONSE_TYPE is FetchResponseV13


FOUND = [
    (0, 0, 100, 90, 3, [(71, 5), (72, 6)], -1, b"records"),
    (300, 6, -1, -1, -1, None, -1, None),
    (1, 0, 10**12, 10**12, 0, [], -1, b""),
]


def expected(topic: str | bytes) -> list[FetchedPartition]:
    return [
        FetchedPartition(
            topic,
            partition,
            code,
            high,
            stable,
            [AbortedTransaction(*one) for one in aborted or ()] or (),
            memoryview(records or b""),
        )
        for partition, code, high, stable, _begin, aborted, _replica, records in FOUND
    ]


@pytest.mark.parametrize("before", [b"", b"header"])
def test_an_answer_by_names(before: bytes) -> None:
    frame = ANSWER_V11.encode((7, 0, 0, [("ä", FOUND), ("b", FOUND[:1]), ("c", [])]))
    stream = BytesIO(before + frame)
    stream.read(len(before))
    found = FetchResponseV11.decode(stream).fetched
    assert found.error_code == 0
    assert found.partitions == [*expected("ä"), expected("b")[0]]
    assert FetchResponseV11.decode(frame).fetched == found


@pytest.mark.parametrize("tags", [False, True])
def test_an_answer_by_ids(tags: bool) -> None:
    def with_tags(partition: Any) -> Any:
        *begin, aborted, replica, records = partition
        aborted = None if aborted is None else [(*one, tags) for one in aborted]
        return (*begin, aborted, replica, records, tags)

    found_partitions = [with_tags(one) for one in FOUND]
    topics = [(ID_A, found_partitions, tags), (ID_B, found_partitions[:1], tags)]
    frame = ANSWER_V13.encode((7, 70, 42, topics, tags))
    found = FetchResponseV13.decode(BytesIO(frame)).fetched
    assert (found.error_code, found.session_id) == (70, 42)
    assert found.partitions == [*expected(ID_A), expected(ID_B)[0]]


def test_records_are_not_copied() -> None:
    frame = ANSWER_V11.encode((0, 0, 0, [("a", FOUND[:1])]))
    (found,) = FetchResponseV11.decode(frame).fetched.partitions
    assert found.records.obj is frame
