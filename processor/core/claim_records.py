"""What streams tell shards, as records of ``orders.claims``, and back.

Written by templates as in `processor.core.records`, for the same reason: most orders are claimed
once and released once.
"""

from collections.abc import Iterable, Iterator

from processor.core.forwarding import ByPartition, forwarded_record, position, text_of
from processor.core.messages import EventRecord, ToShard
from processor.core.records import NO_HEADERS, Record
from processor.core.sharding import shard_of
from schemas.claim import parse_claim
from schemas.forwarded import has_note, read_note
from schemas.json_text import quote
from schemas.placement import split_placement


def claim_records(messages: Iterable[ToShard], num_streams: int) -> ByPartition:
    """What streams tell shards, keyed by order id, to the id's shard."""
    records: ByPartition = {}
    for message in messages:
        order_id = message[1]
        key = order_id.encode()
        if message[0] == "claim":
            _, _, user_id, stream, placed_seq, partition, offset = message
            text = (
                f'{{"schema":1,"type":"claim","order_id":{quote(order_id)}'
                f',"user_id":{quote(user_id)},"placement":"{stream}:{placed_seq}"'
                f',"input":{{"partition":{partition},"offset":{offset}}}}}'
            )
            record: Record = key, text.encode(), NO_HEADERS
        elif message[0] == "release":
            _, _, stream, placed_seq = message
            text = (
                f'{{"schema":1,"type":"release","order_id":{quote(order_id)}'
                f',"placement":"{stream}:{placed_seq}"}}'
            )
            record = key, text.encode(), NO_HEADERS
        else:
            record = forwarded_record("forwarded_command", key, *message[2:])
        records.setdefault(shard_of(order_id, num_streams), []).append(record)
    return records


def read_claims(records: Iterable[EventRecord]) -> Iterator[ToShard]:
    """What streams said, from ``orders.claims``, each when it is asked for.

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
        said = parse_claim(record.value)
        stream, placed_seq = split_placement(said["placement"])
        order_id = said["order_id"]
        if said["type"] == "claim":
            yield "claim", order_id, said["user_id"], stream, placed_seq, *position(said["input"])
        else:
            yield "release", order_id, stream, placed_seq
