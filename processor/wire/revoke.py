"""Revokes (``orders.routed``): the directory's word that a place has lost."""

from typing import Any, Final, Literal

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from processor.wire.answer import InputPosition
from processor.wire.placement import Placement
from processor.wire.version import Schema


class Revoke(TypedDict):
    """Another order owns the id; ``input`` is where the place that lost stands."""

    schema: Schema
    type: Literal["revoke"]
    order_id: str
    placement: Placement
    input: InputPosition


REVOKE: Final[TypeAdapter[Revoke]] = TypeAdapter(Revoke)
_read: Any = REVOKE.validator.validate_json


def parse_revoke(value: bytes | None) -> Revoke:
    """Read a revoke.

    Raises:
        pydantic.ValidationError: it is none, or of an unknown schema version.
    """
    revoke: Revoke = _read(value, strict=True)
    return revoke
