"""From records as read to inputs of the core."""

from collections.abc import Callable, Iterable, Iterator

from processor.wire.dead_letter import record_bytes
from processor.wire.event import Event, Refusal, parse_event, too_large
from processor.wire.record import InputRecord
from processor.wire.timestamp import record_time_us


def read_inputs(
    records: Iterable[InputRecord],
    max_event_bytes: int,
    on_refused: Callable[[InputRecord, Refusal], None],
) -> Iterator[tuple[int, int, Event | Refusal]]:
    """Read a batch of records as inputs of the core, each when it is asked for.

    So an event's memory goes to the next one while it is still in the processor's cache.

    Args:
        records: as they come from ``orders.events``.
        max_event_bytes: refuse a record whose key, value and headers are longer, unread.
        on_refused: told of each record that is no event.
    """
    for record in records:
        value = record.value
        event: Event | Refusal
        # Most records have no headers, and a value that is far from the limit even with its key.
        if record.headers or value is None or len(value) + len(record.key or b"") > max_event_bytes:
            event = _read_rare(record, max_event_bytes)
        else:
            event = parse_event(value)
        if type(event) is Refusal:
            on_refused(record, event)
        yield record.offset, record_time_us(record.timestamp), event


def _read_rare(record: InputRecord, max_event_bytes: int) -> Event | Refusal:
    size_bytes = record_bytes(record.key, record.value, record.headers)
    if size_bytes > max_event_bytes:
        return too_large(size_bytes, max_event_bytes)
    return parse_event(record.value)
