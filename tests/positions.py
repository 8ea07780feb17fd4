"""Positions that some owner of a stream has written."""

from processor.wire.position import POSITION, POSITION_KEY, dump_position
from processor.wire.record import Record


def a_position(owner: str, events: int = 0) -> bytes:
    """A position that some owner has written."""
    position = {
        "schema": 1,
        "type": "position",
        "owner": owner,
        "events": events,
        "routed": 0,
        "claims": 0,
        "seq": 0,
        "live_orders": 0,
        "seq_sum": 0,
        "next_slot": "a",
        "slot_chunks": {"a": 0, "b": 0},
        "directory": {"owners": 0, "owners_sum": 0, "parked": 0},
        "progress": {"seq": 0, "records": 0, "sum": 0},
    }
    return dump_position(POSITION.validate_python(position))


def record_of(position: bytes) -> Record:
    """Its record."""
    return POSITION_KEY.encode(), position, []
