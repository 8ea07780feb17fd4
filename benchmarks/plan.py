"""What the load and the reader of its answers agree on."""

import json
from typing import NamedTuple, Self

END_ID = b"end-"
"""With it begins the id of the last order of a stream."""

_ORDER_ID = b'"order_id":"'


class Plan(NamedTuple):
    """A load; times are monotonic, which all processes of a machine share.

    Places sent from ``from_ns`` on are measured. The load goes on until ``until_ns``.
    """

    servers: str
    events: str
    results: str
    num_streams: int
    events_per_s: int
    begin_ns: int
    from_ns: int
    until_ns: int

    def dump(self) -> str:
        """As an argument of a command line."""
        return json.dumps(self._asdict())

    @classmethod
    def parse(cls, argument: str) -> Self:
        """What `dump` wrote."""
        return cls(**json.loads(argument))


def order_id(sent_ns: int, number: int) -> bytes:
    """An order's id: when its place was sent, and a number, for some are sent at once."""
    return b"%d-%d" % (sent_ns, number)


def place_sent_ns(answer: bytes) -> int | None:
    """When the place was sent that this answers; None for any other answer, and for the last one.

    Looks for bytes, where reading JSON would cost more than all else.
    """
    if b'"type":"place"' not in answer or b'"result":"applied"' not in answer:
        return None
    begin = answer.index(_ORDER_ID) + len(_ORDER_ID)
    if answer.startswith(END_ID, begin):
        return None
    return int(answer[begin : answer.index(b"-", begin)])


def is_last(answer: bytes) -> bool:
    """Whether this answers the last event of a stream."""
    return _ORDER_ID + END_ID in answer
