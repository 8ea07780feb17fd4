"""Messages to streams, as records of ``orders.routed``, and back."""

from collections.abc import Iterable, Iterator

from processor.core.directory.forwarding import ByPartition, forwarded_record, position, text_of
from processor.core.directory.messages import Command, ToStream
from processor.wire.forwarded import has_note, read_note
from processor.wire.json_text import quote
from processor.wire.placement import split_placement
from processor.wire.record import NO_HEADERS, EventRecord, Record
from processor.wire.revoke import parse_revoke


def routed_records(messages: Iterable[ToStream]) -> ByPartition:
    """Messages to streams, each to the partition of its stream."""
    records: ByPartition = {}
    for message in messages:
        stream = message[1]
        if message[0] == "revoke":
            _, _, order_id, placed_seq, partition, offset = message
            text = (
                f'{{"schema":1,"type":"revoke","order_id":{quote(order_id)}'
                f',"placement":"{stream}:{placed_seq}"'
                f',"input":{{"partition":{partition},"offset":{offset}}}}}'
            )
            record: Record = order_id.encode(), text.encode(), NO_HEADERS
        elif message[0] == "routed_event":
            _, _, partition, offset, raw = message
            record = forwarded_record("routed_event", raw[0], partition, offset, raw)
        else:
            _, _, placed_seq, command = message
            record = _routed_command(stream, placed_seq, command)
        records.setdefault(stream, []).append(record)
    return records


def _routed_command(stream: int, placed_seq: int, command: Command) -> Record:
    _, order_id, partition, offset, raw = command
    more = f',"placement":"{stream}:{placed_seq}"'
    return forwarded_record("routed_command", order_id.encode(), partition, offset, raw, more)


def read_routed(records: Iterable[EventRecord], stream: int) -> Iterator[ToStream]:
    """The messages to a stream, from ``orders.routed``, each read when it is asked for.

    Raises:
        ValueError: a record is none of the processor's.
    """
    for record in records:
        if not has_note(record.headers):
            revoke = parse_revoke(record.value)
            _, placed_seq = split_placement(revoke["placement"])
            yield "revoke", stream, revoke["order_id"], placed_seq, *position(revoke["input"])
            continue
        note, raw = read_note(record.value, record.headers)
        where = position(note["input"])
        if note["type"] == "routed_event":
            yield "routed_event", stream, *where, raw
        elif note["type"] == "routed_command":
            _, placed_seq = split_placement(note["placement"])
            command: Command = ("command", text_of(record.key), *where, raw)
            yield "routed_command", stream, placed_seq, command
        else:
            raise ValueError(f"a {note['type']} on orders.routed")
