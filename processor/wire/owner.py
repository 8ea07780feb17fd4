"""The owner table (``orders.directory``): which order has an id, over all streams.

Under a key with a space, which no order id can have, stands a parked command: an event with a note,
see `processor.wire.forwarded`.
"""

from typing import Any, Final

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from processor.wire.answer import InputPosition
from processor.wire.placement import Placement
from processor.wire.version import Schema


class Owner(TypedDict):
    """The owner of an id; the key is the order id, and a tombstone means that it is free."""

    schema: Schema
    order_id: str
    user_id: str
    stream: int
    placement: Placement
    input: InputPosition


OWNER: Final[TypeAdapter[Owner]] = TypeAdapter(Owner)
_read: Any = OWNER.validator.validate_json


def parse_owner(value: bytes) -> Owner:
    """Read an owner.

    Raises:
        pydantic.ValidationError: it is none, or of an unknown schema version.
    """
    owner: Owner = _read(value, strict=True)
    return owner


def parked_key(order_id: str, partition: int, offset: int) -> str:
    """The key of a parked command: its order id and where it stands in ``orders.events``."""
    return f"{order_id} {partition}:{offset}"


def is_parked_key(key: str) -> bool:
    """Whether a parked command stands under the key, and no owner."""
    return " " in key
