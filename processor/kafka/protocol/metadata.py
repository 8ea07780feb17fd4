"""Metadata of named topics: version 12, with topic ids, and 7, without.

aiokafka's own has no leader epochs, and may create a topic by asking for it.
"""

from collections.abc import Sequence
from typing import Any

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Array,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    String,
    TaggedFields,
)

from processor.kafka.cluster_view import BrokerAddress, Leader, Metadata, TopicMetadata
from processor.kafka.protocol.uuids import NO_UUID, Uuid


class MetadataResponseV7(Response):
    """An answer without topic ids."""

    API_KEY = 3
    API_VERSION = 7
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            Array(
                ("node_id", Int32),
                ("host", String("utf-8")),
                ("port", Int32),
                ("rack", String("utf-8")),
            ),
        ),
        ("cluster_id", String("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("name", String("utf-8")),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
            ),
        ),
    )

    def topics_found(self) -> list[TopicMetadata]:
        """The topics of the answer."""
        return [
            _topic(name, None, code, partitions)
            for code, name, _internal, partitions in self.get_item("topics")
        ]


class MetadataResponseV12(Response):
    """An answer with topic ids."""

    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString("utf-8")),
                ("topic_id", Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )

    def topics_found(self) -> list[TopicMetadata]:
        """The topics of the answer."""
        return [
            _topic(name, None if topic_id == NO_UUID else topic_id, code, partitions)
            for code, name, topic_id, _internal, partitions, *_ in self.get_item("topics")
        ]


def _topic(
    name: str, topic_id: bytes | None, error_code: int, partitions: Sequence[Any]
) -> TopicMetadata:
    leaders = {
        partition: Leader(leader, epoch) for _code, partition, leader, epoch, *_ in partitions
    }
    return TopicMetadata(name, topic_id, error_code, leaders)


class _MetadataRequestV7(RequestStruct):
    API_KEY = 3
    API_VERSION = 7
    RESPONSE_TYPE = MetadataResponseV7
    SCHEMA = Schema(("topics", Array(String("utf-8"))), ("allow_auto_topic_creation", Boolean))


class _MetadataRequestV12(RequestStruct):
    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 12
    RESPONSE_TYPE = MetadataResponseV12
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(
                ("topic_id", Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields)
            ),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class MetadataRequest(Request[_MetadataRequestV7 | _MetadataRequestV12]):
    """A request for the metadata of some topics, which does not create them.

    Attributes:
        topics: their names.
    """

    API_KEY = 3

    def __init__(self, topics: Sequence[str]) -> None:
        self.topics = topics

    def build(
        self, request_struct_class: type[_MetadataRequestV7 | _MetadataRequestV12]
    ) -> _MetadataRequestV7 | _MetadataRequestV12:
        """Part of `Request`."""
        if request_struct_class is _MetadataRequestV7:
            return request_struct_class(self.topics, False)
        return request_struct_class([(NO_UUID, name, {}) for name in self.topics], False, False, {})


def metadata_of(response: MetadataResponseV7 | MetadataResponseV12) -> Metadata:
    """The content of an answer."""
    brokers = [BrokerAddress(*broker[:4]) for broker in response.get_item("brokers")]
    return Metadata(brokers, response.get_item("controller_id"), response.topics_found())
