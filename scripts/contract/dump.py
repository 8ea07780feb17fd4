"""Values as the adapters of `processor.wire` write them."""

from typing import Any

from pydantic import TypeAdapter


def dump(adapter: TypeAdapter[Any], value: object) -> bytes:
    """The value as JSON.

    Raises:
        pydantic.ValidationError: the adapter could not read it again.
    """
    written = adapter.dump_json(value)
    adapter.validate_json(written, strict=True)
    return written
