"""Claims and releases (``orders.claims``): what streams tell the directory of their orders.

The third kind of record there, a forwarded command, is an event with a note: see
`processor.wire.forwarded`.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from processor.wire.answer import InputPosition
from processor.wire.placement import Placement
from processor.wire.version import Schema

UNKNOWN_OFFSET: Final = -1
"""The ``offset`` of a place that was read before the directory was on: nobody wrote it down."""


class Claim(TypedDict):
    """An order was placed under this id; ``input`` is where the place stands."""

    schema: Schema
    type: Literal["claim"]
    order_id: str
    user_id: str
    placement: Placement
    input: InputPosition


class Release(TypedDict):
    """The order of this placement is gone."""

    schema: Schema
    type: Literal["release"]
    order_id: str
    placement: Placement


CLAIM: Final[TypeAdapter[Claim | Release]] = TypeAdapter(
    Annotated[Claim | Release, Field(discriminator="type")]
)
_read: Any = CLAIM.validator.validate_json


def parse_claim(value: bytes | None) -> Claim | Release:
    """Read a claim or a release.

    Raises:
        pydantic.ValidationError: it is neither, or of an unknown schema version.
    """
    said: Claim | Release = _read(value, strict=True)
    return said
