"""ApiVersions, version 3: the first that tells which features the cluster has agreed on."""

from io import BytesIO
from typing import Any, Final

from aiokafka.protocol.api import Request, RequestStruct, Response, ResponseHeader_v0
from aiokafka.protocol.types import (
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

_FINALIZED_FEATURES: Final = 2
_Features: Final = CompactArray(
    ("name", CompactString("utf-8")),
    ("max_version_level", Int16),
    ("min_version_level", Int16),
    ("tags", TaggedFields),
)


class ApiVersionsResponseV3(Response):
    """The versions of all requests, and the features in the tagged fields."""

    API_KEY = 18
    API_VERSION = 3
    SCHEMA = Schema(
        ("error_code", Int16),
        (
            "api_versions",
            CompactArray(
                ("api_key", Int16),
                ("min_version", Int16),
                ("max_version", Int16),
                ("tags", TaggedFields),
            ),
        ),
        ("throttle_time_ms", Int32),
        ("tags", TaggedFields),
    )
    tags: dict[int, bytes]


class ApiVersionsRequestV3(RequestStruct):
    """The request of version 3."""

    FLEXIBLE_VERSION = True
    API_KEY = 18
    API_VERSION = 3
    RESPONSE_TYPE = ApiVersionsResponseV3
    SCHEMA = Schema(
        ("client_software_name", CompactString("utf-8")),
        ("client_software_version", CompactString("utf-8")),
        ("tags", TaggedFields),
    )

    def parse_response_header(self, read_buffer: BytesIO | bytes) -> ResponseHeader_v0:
        """Brokers answer it with the oldest header, so that any client can read the answer."""
        return ResponseHeader_v0.decode(read_buffer)


class ApiVersionsRequest(Request[ApiVersionsRequestV3]):
    """Ask for versions and features."""

    API_KEY = 18
    ALLOW_UNKNOWN_API_VERSION = True

    def __init__(self, name: str, version: str) -> None:
        self._name = name
        self._version = version

    def build(self, request_struct_class: type[ApiVersionsRequestV3]) -> ApiVersionsRequestV3:
        """The request with the client's name and version."""
        return request_struct_class(self._name, self._version, {})


def finalized_features(response: ApiVersionsResponseV3) -> dict[str, int]:
    """The level that each feature is at in the whole cluster."""
    encoded = response.tags.get(_FINALIZED_FEATURES)
    if encoded is None:
        return {}
    features: Any = _Features.decode(BytesIO(encoded))
    return {name: level for name, level, *_ in features}
