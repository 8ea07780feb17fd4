"""Live orders (``orders.live``): the table of live orders, and the changelog tasks restore from."""

from typing import Any, Final, Literal

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from schemas.json_text import quote
from schemas.version import Schema

Status = Literal["active", "paused"]

SEQ_HEADER: Final = "seq"
"""The header of a tombstone that carries the ``seq`` of the removal, in ASCII digits."""


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


def write_live_order(
    order_id: str,
    user_id: str,
    currency: str,
    amount: str,
    price: str,
    status: Status,
    placed_at: str,
    updated_at: str,
    stream: int,
    placed_seq: int,
    seq: int,
) -> bytes:
    """Write a live order as UTF-8 JSON.

    A template, because it is written for every change: `LIVE_ORDER` takes three times as long to
    write the same JSON from a dictionary. A test holds the two together.
    """
    # Currency, amounts and times have no character that JSON escapes.
    return (
        f'{{"schema":1,"order_id":{quote(order_id)},"user_id":{quote(user_id)}'
        f',"currency":"{currency}","amount":"{amount}","price":"{price}","status":"{status}"'
        f',"placed_at":"{placed_at}","updated_at":"{updated_at}"'
        f',"stream":{stream},"placed_seq":{placed_seq},"seq":{seq}}}'
    ).encode()


def parse_live_order(value: bytes) -> LiveOrder:
    """Read a live order.

    Raises:
        pydantic.ValidationError: the bytes are no live order, or of an unknown schema version.
    """
    order: LiveOrder = _read(value)
    return order
