"""Putting a dead letter back: which record goes to which partition, and why it may not go."""

from processor.core.sharding import murmur2, stream_of
from processor.wire.dead_letter import ReadDeadLetter, record_bytes
from processor.wire.event import Event, Refusal, parse_event, too_large
from processor.wire.record import EventRecord
from processor.wire.replay import Position, PutBack, marked_headers


def put_back(
    place: Position,
    letter: EventRecord,
    said: ReadDeadLetter,
    *,
    edited: bytes | None,
    num_streams: int,
    max_event_bytes: int,
) -> PutBack:
    """The event that goes back from a letter.

    Key, value and headers are the producer's own, and the partition is what any producer with
    Kafka's default partitioner takes: the event's user decides, else the key, else the record
    stays where it was. An edited event has the key of the user that it names.

    Args:
        place: where the letter stands.
        letter: its record.
        said: what its headers say.
        edited: the value instead of the letter's own; None leaves that as it is.
        num_streams: partitions of ``orders.events``.
        max_event_bytes: what the processor takes.
    """
    key = letter.key
    value = letter.value if edited is None else edited
    event = parse_event(value)
    user = _user(event)
    if edited is not None and user is not None:
        key = user.encode()
    if user is not None:
        partition = stream_of(user, num_streams)
    elif key is not None:
        partition = (murmur2(key) & 0x7FFFFFFF) % num_streams
    else:
        partition = said.source_partition % num_streams
    headers = marked_headers(said.headers, place)
    size_bytes = record_bytes(key, value, headers)
    if size_bytes > max_event_bytes:
        event = too_large(size_bytes, max_event_bytes)
    problem = f"{event.reason}: {event.detail}" if isinstance(event, Refusal) else ""
    return PutBack(place, partition, (key, value, headers), problem)


def _user(event: Event | Refusal) -> str | None:
    return event.user_id if isinstance(event, Refusal) else event.get("user_id")
