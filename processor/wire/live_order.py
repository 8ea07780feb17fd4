"""Live orders (``orders.live``): the table of live orders, and the changelog tasks restore from."""

from typing import Any, Final, Literal

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from processor.wire.version import Schema

Status = Literal["active", "paused"]

SEQ_HEADER: Final = "seq"
"""The header of a tombstone that carries the ``seq`` of the removal, in ASCII digits."""

TIME_HEADER: Final = "occurred_at"
"""The header of a tombstone that carries the event time of the removal, as RFC 3339."""


class LiveOrder(TypedDict):
    """A whole live order. Times are RFC 3339, amounts plain decimal strings."""

    schema: Schema
    order_id: str
    user_id: str
    currency: str
    amount: str
    price: str
    status: Status
    placed_at: str
    updated_at: str
    stream: int
    placed_seq: int
    seq: int


LIVE_ORDER: Final[TypeAdapter[LiveOrder]] = TypeAdapter(LiveOrder)
_read: Any = LIVE_ORDER.validator.validate_json


def parse_live_order(value: bytes) -> LiveOrder:
    """Read a live order.

    Raises:
        pydantic.ValidationError: the bytes are no live order, or of an unknown schema version.
    """
    order: LiveOrder = _read(value)
    return order
