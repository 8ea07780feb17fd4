"""What each field is, in words, and what JSON Schema can say of it beside its type.

The type, and whether a field must be there, come from `processor.wire`. What the processor reads
there is only a text or a number; what it writes keeps to the rules here.
"""

from dataclasses import dataclass, field
from typing import Final

from pydantic import JsonValue

from processor.wire.json_schema import CURRENCY, DECIMAL, EVENT_ID, IDENTIFIER
from processor.wire.progress import MAX_NUMBERS

JsonSchema = dict[str, JsonValue]

PARTITION: Final[JsonSchema] = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}
# As in the processor's settings; a transactional id is made of two of them.
NAME: Final[JsonSchema] = {"type": "string", "pattern": "^[a-zA-Z0-9._:-]{1,500}$"}
COUNT: Final[JsonSchema] = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}
# The sum of as many numbers as there are orders.
SUM: Final[JsonSchema] = {"type": "integer", "minimum": 0}
PACKED: Final[JsonSchema] = {
    "type": "array",
    "maxItems": MAX_NUMBERS,
    "items": {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
}
TIME: Final[JsonSchema] = {
    "title": "Time",
    "description": "A time in UTC, with 3 or, where needed, 6 digits of a second.",
    "type": "string",
    "format": "date-time",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}([0-9]{3})?Z$",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A field's words, and the schema that takes the place of a mere type."""

    words: str
    rule: JsonSchema = field(default_factory=dict)


# Under "Record.field" where a field means something else in one record.
FIELDS: Final[dict[str, Field]] = {
    "schema": Field("The version of the record's shape."),
    "type": Field("Which record it is."),
    "order_id": Field("The order's id.", IDENTIFIER),
    "user_id": Field("The user who owns the order.", IDENTIFIER),
    "currency": Field("As placed.", CURRENCY),
    "amount": Field("As placed, digit by digit.", DECIMAL),
    "price": Field("As placed, digit by digit.", DECIMAL),
    "stream": Field("The stream of the order's user, which is the partition's number.", PARTITION),
    "placement": Field(
        "Which life of the order id is meant: the order's stream and placed_seq. Never used twice."
    ),
    "input": Field("Where the event stands in orders.events."),
    "timestamp": Field(
        "The timestamp of the event's record, in milliseconds. Producers set it freely.",
        {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
    ),
    "InputPosition.partition": Field("The partition.", PARTITION),
    "InputPosition.offset": Field("The offset in the partition.", COUNT),
    # orders.events
    "event_id": Field("The producer's own id of the event. Repeats of it are refused.", EVENT_ID),
    "occurred_at": Field("When it happened. Default: the record's Kafka timestamp.", TIME),
    "Place.user_id": Field("The user who places the order; the record's best key."),
    "Place.amount": Field("How much."),
    "Place.price": Field("At which price."),
    "Place.currency": Field("Of what."),
    "Pause.user_id": Field("Where given, it must own the order."),
    "Resume.user_id": Field("Where given, it must own the order."),
    "Cancel.user_id": Field("Where given, it must own the order."),
    "CancelAllByUser.user_id": Field("The user; the record's best key."),
    # orders.results
    "Answer.input": Field("Where the answered event stands in orders.events."),
    "Answer.type": Field("The event's type, if it could be read."),
    "Answer.order_id": Field("The order's id, if it is known.", IDENTIFIER),
    "Answer.user_id": Field(
        "The user, if known: the order's owner where the event did not name one.", IDENTIFIER
    ),
    "Answer.event_id": Field("As in the event, if it could be read.", EVENT_ID),
    "Answer.occurred_at": Field("The event time; absent when the record was no event.", TIME),
    "Answer.result": Field(
        "What became of the event. forwarded is not final: one more answer with the same input "
        "follows, maybe in another partition."
    ),
    "Answer.reason": Field("Why it was rejected: see docs/reference.md."),
    "Answer.count": Field("How many orders an applied cancel_all_by_user removed.", COUNT),
    "Answer.revoked": Field(
        "This is a correction: a place that was applied has lost its order id to another order, "
        "and its order is gone."
    ),
    # orders.live
    "LiveOrder.status": Field("Whether it is paused."),
    "LiveOrder.placed_at": Field("The event time of the place.", TIME),
    "LiveOrder.updated_at": Field("The event time of this change.", TIME),
    "LiveOrder.placed_seq": Field(
        "The seq of the place. Sort a stream's orders by it for placement order.", COUNT
    ),
    "LiveOrder.seq": Field(
        "The number of this change in its stream. It only grows, and may jump.", COUNT
    ),
    # orders.snapshots
    "snapshot_id": Field(
        "The same in all records of one snapshot; never used twice.",
        {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    ),
    "SnapshotBegin.stream": Field("The stream, which is the partition's number.", PARTITION),
    "SnapshotBegin.as_of_seq": Field("The seq of the last change that is in it.", COUNT),
    "SnapshotBegin.as_of_offset": Field(
        "All before this offset of orders.events is in it.", COUNT
    ),
    "SnapshotBegin.live_offset": Field(
        "Where in orders.live of this partition the changes after it begin.", COUNT
    ),
    "SnapshotBegin.taken_at": Field("When it was taken, by the processor's clock.", TIME),
    "SnapshotChunk.chunk": Field("The chunk's number, from 0 on, as in the key.", COUNT),
    "SnapshotChunk.orders": Field("Records as in orders.live, in placement order."),
    "SnapshotEnd.chunks": Field("How many chunks the snapshot has.", COUNT),
    "SnapshotEnd.order_count": Field("How many orders are in them.", COUNT),
    "SnapshotEnd.state_hash": Field(
        "A hash over all orders, in hexadecimal digits: docs/reference.md says how to compute it.",
        {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    ),
    # orders.directory
    "ParkedCommand.deadline": Field("Until when it waits for an order of its id.", TIME),
    # orders.progress
    "FinishedOffsets.seq": Field("The number of the record in its partition.", COUNT),
    "FinishedOffsets.events": Field("Offsets of orders.events, as a packed list.", PACKED),
    "FinishedOffsets.routed": Field("Offsets of orders.routed, as a packed list.", PACKED),
    "EventIds.seq": Field("The number of the record in its partition.", COUNT),
    "EventIds.at": Field("The numbers of the events in their stream, as a packed list.", PACKED),
    "EventIds.ids": Field(
        "A digest of 11 bytes of each event_id, one after the other, in base64.",
        {"type": "string", "contentEncoding": "base64", "pattern": "^[A-Za-z0-9+/]*={0,2}$"},
    ),
    "Position.owner": Field(
        "The transactional id of the process that wrote it.", NAME
    ),
    "Position.events": Field("The next offset of orders.events.", COUNT),
    "Position.routed": Field("The next offset of orders.routed.", COUNT),
    "Position.claims": Field("The next offset of orders.claims.", COUNT),
    "Position.seq": Field("The seq of the stream's last change.", COUNT),
    "Position.live_orders": Field("How many live orders the stream has.", COUNT),
    "Position.seq_sum": Field("The sum of their seq.", SUM),
    "Position.next_slot": Field("The slot of the next snapshot."),
    "Position.slot_chunks": Field("How many chunk keys each slot may hold."),
    "Position.directory": Field("What the partition of orders.directory holds."),
    "Position.reorder": Field("There while events are put in order by their time."),
    "Position.finished_events": Field(
        "How many events the stream has finished since repeats are refused.", COUNT
    ),
    "Position.progress": Field("What the partition of orders.progress holds."),
    "Origin.app_id": Field(
        "The only app that may process these topics.", NAME
    ),
    "Origin.generation": Field("How many streams there are.", COUNT),
    "Origin.topics": Field(
        "The id of each topic, by its name, in hexadecimal digits.",
        {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        },
    ),
    "SlotExtents.a": Field("Of slot a.", COUNT),
    "SlotExtents.b": Field("Of slot b.", COUNT),
    "DirectoryExtents.owners": Field("How many ids have an owner.", COUNT),
    "DirectoryExtents.owners_sum": Field("A sum over their placements.", SUM),
    "DirectoryExtents.parked": Field("How many commands wait.", COUNT),
    "ProgressExtents.seq": Field("The number of the last record.", COUNT),
    "ProgressExtents.records": Field("How many keys there are.", COUNT),
    "ProgressExtents.sum": Field("The sum of the CRC-32 of their values.", SUM),
    "ReorderMark.released_us": Field(
        "The highest event time released in order, in microseconds since 1970; -1 for none.",
        {"type": "integer", "minimum": -1, "maximum": 2**63 - 1},
    ),
    "ReorderMark.events_read": Field("The next offset to read of orders.events.", COUNT),
    "ReorderMark.routed_read": Field("The next offset to read of orders.routed.", COUNT),
}  # fmt: skip


def field_of(record: str, name: str) -> Field:
    """What a field of a record is.

    Raises:
        KeyError: nobody has described it.
    """
    return FIELDS.get(f"{record}.{name}") or FIELDS[name]
