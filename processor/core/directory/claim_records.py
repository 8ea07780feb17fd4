"""Messages of streams to shards, as records of ``orders.claims``, and back.

Written by templates as in `processor.core.orders.records`, and read by one, for the same reason:
most orders are claimed once and released once.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from processor.core.directory.forwarding import ByPartition, forwarded_record, position, text_of
from processor.core.directory.messages import Claim, Release, ToShard
from processor.core.murmur2_lanes import murmur2_of_each
from processor.wire.claim import parse_claim
from processor.wire.forwarded import has_note, read_note
from processor.wire.json_text import quote
from processor.wire.placement import split_placement
from processor.wire.record import NO_HEADERS, EventRecord, Record

# A claim or a release as the templates write it, of ids that JSON does not escape.
_PLAIN: Final = re.compile(
    rb'\{"schema":1,"type":"(?:claim","order_id":"([^"\\]+)","user_id":"([^"\\]+)"'
    rb',"placement":"([0-9]{1,10}):([0-9]{1,19})"'
    rb',"input":\{"partition":([0-9]{1,10}),"offset":(-?[0-9]{1,19})\}'
    rb'|release","order_id":"([^"\\]+)","placement":"([0-9]{1,10}):([0-9]{1,19})")\}'
).fullmatch


def claim_records(messages: Sequence[ToShard], num_streams: int) -> ByPartition:
    """Messages of streams to shards, keyed by order id, to the id's shard."""
    records: ByPartition = {}
    keys = [message[1].encode() for message in messages]
    for message, key, hashed in zip(messages, keys, murmur2_of_each(keys), strict=True):
        if message[0] == "claim":
            _, order_id, user_id, stream, placed_seq, partition, offset = message
            text = (
                f'{{"schema":1,"type":"claim","order_id":{quote(order_id)}'
                f',"user_id":{quote(user_id)},"placement":"{stream}:{placed_seq}"'
                f',"input":{{"partition":{partition},"offset":{offset}}}}}'
            )
            record: Record = key, text.encode(), NO_HEADERS
        elif message[0] == "release":
            _, order_id, stream, placed_seq = message
            text = (
                f'{{"schema":1,"type":"release","order_id":{quote(order_id)}'
                f',"placement":"{stream}:{placed_seq}"}}'
            )
            record = key, text.encode(), NO_HEADERS
        else:
            record = forwarded_record("forwarded_command", key, *message[2:])
        # As `shard_of` does.
        shard = (hashed & 0x7FFFFFFF) % num_streams
        records.setdefault(shard, []).append(record)
    return records


def read_claims(records: Iterable[EventRecord]) -> Iterator[ToShard]:
    """The messages of streams, from ``orders.claims``, each read when it is asked for.

    Raises:
        ValueError: a record is none of the processor's.
    """
    for record in records:
        if has_note(record.headers):
            note, raw = read_note(record.value, record.headers)
            if note["type"] != "forwarded_command":
                raise ValueError(f"a {note['type']} on orders.claims")
            yield "command", text_of(record.key), *position(note["input"]), raw
            continue
        plain = _PLAIN(record.value or b"")
        if plain is None:
            yield _read(record.value)
            continue
        order_id, user_id, stream, placed_seq, partition, offset, gone, its, seq = plain.groups()
        if gone is None:
            yield (
                "claim",
                order_id.decode(),
                user_id.decode(),
                int(stream),
                int(placed_seq),
                int(partition),
                int(offset),
            )
        else:
            yield "release", gone.decode(), int(its), int(seq)


def _read(value: bytes | None) -> Claim | Release:
    said = parse_claim(value)
    stream, placed_seq = split_placement(said["placement"])
    order_id = said["order_id"]
    if said["type"] == "claim":
        return "claim", order_id, said["user_id"], stream, placed_seq, *position(said["input"])
    return "release", order_id, stream, placed_seq
