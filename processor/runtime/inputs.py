"""From records as read to inputs of the core."""

from collections.abc import Sequence
from typing import Any, Final

from processor.core.stream import Input
from processor.runtime.ports import InputRecord
from schemas.dead_letter import record_bytes
from schemas.event import Event, Refusal, parse_event, too_large
from schemas.timestamp import record_time_us

# See the core's stream: half the price of calling a NamedTuple's class, for every event.
_new: Final[Any] = tuple.__new__


def read_inputs(records: Sequence[InputRecord], max_event_bytes: int) -> list[Input]:
    """Read a batch of records.

    Args:
        records: as they come from ``orders.events``.
        max_event_bytes: refuse a record whose key, value and headers are longer, unread.
    """
    inputs: list[Input] = []
    for record in records:
        value = record.value
        event: Event | Refusal
        # Most records have no headers, and a value that is far from the limit even with its key.
        if record.headers or value is None or len(value) + len(record.key or b"") > max_event_bytes:
            event = _read_rare(record, max_event_bytes)
        else:
            event = parse_event(value)
        inputs.append(_new(Input, (record.offset, record_time_us(record.timestamp), event)))
    return inputs


def _read_rare(record: InputRecord, max_event_bytes: int) -> Event | Refusal:
    size_bytes = record_bytes(record.key, record.value, record.headers)
    if size_bytes > max_event_bytes:
        return too_large(size_bytes, max_event_bytes)
    return parse_event(record.value)
