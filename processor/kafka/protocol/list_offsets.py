"""ListOffsets, version 5: where partitions begin and end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Int8, Int16, Int32, Int64, Schema, String

_CONSUMER: Final = -1
EARLIEST: Final = -2
LATEST: Final = -1
READ_UNCOMMITTED: Final = 0
READ_COMMITTED: Final = 1


@dataclass(frozen=True, slots=True)
class ListedOffset:
    """A partition of an answer; the offset is -1 where there is an error."""

    topic: str
    partition: int
    error_code: int
    offset: int


class ListOffsetsResponseV5(Response):
    """An answer."""

    API_KEY = 2
    API_VERSION = 5
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            Array(
                ("topic", String("utf-8")),
                (
                    "partitions",
                    Array(
                        ("partition", Int32),
                        ("error_code", Int16),
                        ("timestamp", Int64),
                        ("offset", Int64),
                        ("leader_epoch", Int32),
                    ),
                ),
            ),
        ),
    )

    def listed(self) -> list[ListedOffset]:
        """All partitions of the answer."""
        topics: list[tuple[str, list[Any]]] = self.get_item("topics")
        return [
            ListedOffset(topic, partition, error_code, offset)
            for topic, partitions in topics
            for partition, error_code, _timestamp, offset, _epoch in partitions
        ]


class _ListOffsetsRequestV5(RequestStruct):
    API_KEY = 2
    API_VERSION = 5
    RESPONSE_TYPE = ListOffsetsResponseV5
    SCHEMA = Schema(
        ("replica_id", Int32),
        ("isolation_level", Int8),
        (
            "topics",
            Array(
                ("topic", String("utf-8")),
                (
                    "partitions",
                    Array(
                        ("partition", Int32), ("current_leader_epoch", Int32), ("timestamp", Int64)
                    ),
                ),
            ),
        ),
    )


class ListOffsetsRequest(Request[_ListOffsetsRequestV5]):
    """A request to a leader for one offset of each of its partitions.

    Attributes:
        partitions: by topic, each with the leader's epoch.
        isolation: `READ_COMMITTED` for the end of what is decided, else of everything.
        timestamp: `EARLIEST` or `LATEST`.
    """

    API_KEY = 2

    def __init__(
        self, partitions: Mapping[str, Sequence[tuple[int, int]]], isolation: int, timestamp: int
    ) -> None:
        self.partitions = partitions
        self.isolation = isolation
        self.timestamp = timestamp

    def build(self, request_struct_class: type[_ListOffsetsRequestV5]) -> _ListOffsetsRequestV5:
        """Part of `Request`."""
        topics = [
            (topic, [(*one, self.timestamp) for one in partitions])
            for topic, partitions in self.partitions.items()
        ]
        return request_struct_class(_CONSUMER, self.isolation, topics)
