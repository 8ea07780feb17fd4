"""Every record on the wire: its name, its topic, and its schema."""

from dataclasses import dataclass
from typing import Any, Final

from pydantic import JsonValue, TypeAdapter

from processor.wire.answer import ANSWER
from processor.wire.claim import Claim, Release
from processor.wire.event import EVENT
from processor.wire.forwarded import ForwardedCommand, ParkedCommand, RoutedCommand, RoutedEvent
from processor.wire.live_order import LIVE_ORDER
from processor.wire.owner import OWNER
from processor.wire.position import ORIGIN, POSITION
from processor.wire.progress import EventIds, FinishedOffsets
from processor.wire.revoke import REVOKE
from processor.wire.snapshot import BEGIN, CHUNK, END
from scripts.contract.fields import JsonSchema
from scripts.contract.headers import (
    DEAD_LETTER,
    LIVE_ORDER_REMOVED,
    REPLAY_NOTE,
    headers_schema,
)
from scripts.contract.json_schemas import in_order, schema_of

_MORE: Final = "Ignore fields that you do not know: they may be added."
_INTERNAL: Final = "Internal: it can change with any version."
_ON_ITS_WAY: Final = (
    "The value is the event. The headers are the event's own and two more: live-orders.key has the "
    "event's key, and live-orders.note has this JSON."
)
_REMOVED: Final = "No value: removed, with the header seq."


@dataclass(frozen=True, slots=True)
class Record:
    """A record's schema, under the name that its file has."""

    name: str
    schema: JsonSchema


def _record(
    name: str, record: Any, topic: str, key: str, *words: str, more: JsonSchema | None = None
) -> Record:
    """A record whose value is JSON.

    Args:
        name: of its files.
        record: its type, or an adapter of it.
        topic, key: where it stands.
        words: sentences, the first of which says what it is.
        more: what else holds of it.
    """
    adapter = record if isinstance(record, TypeAdapter) else TypeAdapter(record)
    text = " ".join([words[0], f"Topic: {topic}. Key: {key}.", *words[1:]])
    return Record(name, in_order({**schema_of(adapter, _title(name), text), **(more or {})}))


def _headers(
    name: str, topic: str, key: str, *words: str, properties: dict[str, JsonSchema]
) -> Record:
    """A record that says what it says in headers."""
    text = " ".join([words[0], f"Topic: {topic}. Key: {key}.", *words[1:]])
    return Record(name, headers_schema(_title(name), text, properties))


def _title(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("-"))


def _is(**values: JsonValue) -> JsonSchema:
    """The schema of a record in which these fields are there, with these values."""
    return {
        **_has(*values),
        "properties": {name: {"const": value} for name, value in values.items()},
    }


def _has(*names: str) -> JsonSchema:
    return {"required": list(names)}


_ANSWER_RULES: Final[JsonSchema] = {
    "allOf": [
        {"if": _is(result="rejected"), "then": _has("reason"), "else": {"not": _has("reason")}},
        {
            "if": _is(result="applied", type="cancel_all_by_user"),
            "then": _has("count"),
            "else": {"not": _has("count")},
        },
        {
            "if": _has("revoked"),
            "then": {
                **_is(type="place", result="rejected", reason="duplicate_order"),
                "not": _has("event_id"),
                "allOf": [_has("order_id", "user_id", "occurred_at")],
            },
        },
    ]
}

RECORDS: Final = [
    _record(
        "event", EVENT, "orders.events", "best the user id",
        "What producers send.",
        "A field that is not named here is refused.",
        "The processor refuses some more that JSON Schema cannot express: a field that is given",
        "twice; 1.0 as the schema; bytes that are not UTF-8, or half a surrogate pair; a record",
        "without a value, or over max_event_bytes (64 KiB unless set).",
    ),
    _record(
        "answer", ANSWER, "orders.results",
        "the user id, or the order id when no user is known, or none",
        "What became of an event.",
        "There is one final answer, applied or rejected, for every record of orders.events.", _MORE,
        more=_ANSWER_RULES,
    ),
    _record(
        "live-order", LIVE_ORDER, "orders.live, compacted", "the order id",
        "A whole live order, after each of its changes.",
        "No value: it was removed, see live-order-removed-headers.", _MORE,
    ),
    _headers(
        "live-order-removed-headers", "orders.live, compacted", "the order id",
        "The headers of a removal, a record without a value.", properties=LIVE_ORDER_REMOVED,
    ),
    _record(
        "snapshot-begin", BEGIN, "orders.snapshots, compacted", "a/begin or b/begin",
        "The head of a snapshot, which is a stream's whole list.", _MORE,
    ),
    _record(
        "snapshot-chunk", CHUNK, "orders.snapshots, compacted",
        "the slot, a or b, a slash, and the chunk's number with four digits or more: a/0000",
        "A run of a snapshot's orders.", "No value: a chunk of an older snapshot.", _MORE,
    ),
    _record(
        "snapshot-end", END, "orders.snapshots, compacted", "a/end or b/end",
        "The tail of a snapshot: check the orders with it.", _MORE,
    ),
    _headers(
        "dead-letter-headers", "orders.dead-letters", "the producer's",
        "The headers of a record that was no event, or out of time.",
        "The value and other headers are the producer's too, whatever they are. These headers come",
        "last: the producer may have used the same names, and JSON cannot say a name twice.",
        properties=DEAD_LETTER,
    ),
    _headers(
        "replay-note-headers", "orders.dead-letters", "none",
        "The headers of a note that a dead letter was put back on orders.events.",
        "It is no letter. It stands behind the letter, and has no value and no other headers. The",
        "event that was put back has the header replay.of too.",
        properties=REPLAY_NOTE,
    ),
    _record(
        "owner", OWNER, "orders.directory, compacted", "the order id",
        "Which order has an id.",
        "No value: the id is free. Under keys with a space in them stand parked commands: pass",
        "them by.", _MORE,
    ),
    _record(
        "parked-command", ParkedCommand, "orders.directory, compacted",
        "the order id, a space, and partition:offset of the command in orders.events",
        "A command without a user, which waits for an order of its id.",
        _ON_ITS_WAY, "No value: it waits no more.", _INTERNAL,
    ),
    _record(
        "claim", Claim, "orders.claims", "the order id",
        "A stream tells the directory that an order was placed.", _INTERNAL,
    ),
    _record(
        "release", Release, "orders.claims", "the order id",
        "A stream tells the directory that an order is gone.", _INTERNAL,
    ),
    _record(
        "forwarded-command", ForwardedCommand, "orders.claims", "the order id",
        "A command without a user, on its way to the directory.", _ON_ITS_WAY, _INTERNAL,
    ),
    _record(
        "revoke", REVOKE, "orders.routed", "the order id",
        "The directory tells a stream that its place lost: another order has the id.", _INTERNAL,
    ),
    _record(
        "routed-command", RoutedCommand, "orders.routed", "the order id",
        "A command without a user, on its way to the stream of its order.", _ON_ITS_WAY, _INTERNAL,
    ),
    _record(
        "routed-event", RoutedEvent, "orders.routed", "the event's",
        "An event that was in another partition than its user's, on its way to that stream.",
        _ON_ITS_WAY, _INTERNAL,
    ),
    _record(
        "finished-offsets", FinishedOffsets, "orders.progress, compacted", "finished/ and digits",
        "Inputs that are finished although an older one waits.",
        "A packed list has the first number; then, for each step up, how many numbers to skip, or,",
        "negative, how many follow without a gap.", _REMOVED, _INTERNAL,
    ),
    _record(
        "event-ids", EventIds, "orders.progress, compacted", "ids/ and digits",
        "Event ids that a stream remembers, to refuse repeats.",
        "What a packed list is, finished-offsets says.", _REMOVED, _INTERNAL,
    ),
    _record(
        "position", POSITION, "orders.progress, compacted", "position",
        "Where a stream stands: in each transaction that touches it.", _INTERNAL,
    ),
    _record(
        "origin", ORIGIN, "orders.progress, compacted", "origin",
        "What a stream's tables belong to: the first record of its partition.", _INTERNAL,
    ),
]  # fmt: skip
