"""The bytes of the requests that aiokafka lacks."""

from io import BytesIO

from aiokafka.protocol.produce import ProduceRequest_v7
from aiokafka.protocol.types import (
    CompactArray,
    CompactBytes,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from processor.kafka.protocol.api_versions import (
    ApiVersionsRequest,
    ApiVersionsResponseV3,
    finalized_features,
)
from processor.kafka.protocol.produce import ProduceV8, ProduceV12, Writes

TOPICS: dict[str, list[tuple[int, bytes | bytearray]]] = {
    "a": [(0, b"first" * 100), (3, bytearray(b"second"))],
    "b": [(1, b"third")],
}
WRITES = Writes("id", 1234, TOPICS)
VERSIONS = {0: (0, 13), 18: (0, 4)}

PRODUCE_V12 = Schema(
    ("transactional_id", CompactString("utf-8")),
    ("acks", Int16),
    ("timeout", Int32),
    (
        "topics",
        CompactArray(
            ("topic", CompactString("utf-8")),
            (
                "partitions",
                CompactArray(
                    ("partition", Int32), ("records", CompactBytes), ("tags", TaggedFields)
                ),
            ),
            ("tags", TaggedFields),
        ),
    ),
    ("tags", TaggedFields),
)


def test_produce_8_is_encoded_as_the_library_does_it_in_the_same_shape() -> None:
    request = ProduceV8(WRITES).prepare(VERSIONS)
    assert request.API_VERSION == 8
    expected = ProduceRequest_v7("id", -1, 1234, [(t, list(parts)) for t, parts in TOPICS.items()])
    assert request.encode() == expected.encode()


def test_produce_12_is_encoded_as_the_library_would_do_it() -> None:
    request = ProduceV12(WRITES).prepare(VERSIONS)
    assert (request.API_VERSION, request.FLEXIBLE_VERSION) == (12, True)
    topics: list[object] = [
        (t, [(p, bytes(b), {}) for p, b in parts], {}) for t, parts in TOPICS.items()
    ]
    assert request.encode() == PRODUCE_V12.encode(["id", -1, 1234, topics, {}])


def test_the_answer_about_versions_has_the_oldest_header() -> None:
    request = ApiVersionsRequest("name", "1").prepare({})
    assert request.API_VERSION == 3
    assert request.encode() == b"\x05name\x021\x00"
    buffer = BytesIO(b"\x00\x00\x00\x07rest")
    assert request.parse_response_header(buffer).get_item("correlation_id") == 7
    assert buffer.read() == b"rest"


def test_the_finalized_features_are_in_the_third_tagged_field() -> None:
    features = b"\x02" + b"\x04abc" + b"\x00\x02" + b"\x00\x01" + b"\x00"
    encoded = b"\x00\x00\x01\x00\x00\x00\x00\x01\x02" + bytes([len(features)]) + features
    response = ApiVersionsResponseV3.decode(encoded)
    assert finalized_features(response) == {"abc": 2}


def test_a_broker_without_finalized_features_has_none() -> None:
    response = ApiVersionsResponseV3.decode(b"\x00\x00\x01\x00\x00\x00\x00\x00")
    assert finalized_features(response) == {}
