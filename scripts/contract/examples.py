"""Examples of every record, written and checked by the adapters of `processor.wire`.

They tell one small story, of the orders of alice in stream 2 and of bob in stream 1. The name of an
example up to the first full stop is that of its record.
"""

import json
from collections.abc import Sequence
from typing import Final

from pydantic import JsonValue

from processor.wire.answer import ANSWER, Answer
from processor.wire.dead_letter import dead_letter
from processor.wire.event import Refusal, parse_event
from processor.wire.live_order import LIVE_ORDER, SEQ_HEADER, TIME_HEADER, LiveOrder
from processor.wire.owner import OWNER, Owner
from processor.wire.record import Header
from processor.wire.replay import Position, replay_note
from processor.wire.snapshot import BEGIN, CHUNK, END
from scripts.contract.dump import dump
from scripts.contract.internal_examples import INTERNAL_EXAMPLES

_SNAPSHOT_ID: Final = "97359f544cf54983b08b8690069efc18"

_EVENTS: Final[dict[str, dict[str, JsonValue]]] = {
    "place": {
        "type": "place",
        "order_id": "order1",
        "user_id": "alice",
        "currency": "BTC",
        "amount": "1.50",
        "price": "50000.25",
        "event_id": "e-17",
        "occurred_at": "2026-01-31T13:00:00+01:00",
        "schema": 1,
    },
    "place-with-numbers": {
        "type": "place",
        "order_id": "order2",
        "user_id": "alice",
        "currency": "ETH",
        "amount": 100,
        "price": 3000.5,
    },
    "pause": {"type": "pause", "order_id": "order1", "user_id": "alice"},
    "resume": {"type": "resume", "order_id": "order1", "user_id": "alice"},
    "cancel": {"type": "cancel", "order_id": "order1", "user_id": "alice"},
    "cancel-by-id-only": {"type": "cancel", "order_id": "order1"},
    "cancel-all-by-user": {"type": "cancel_all_by_user", "user_id": "alice"},
}

_ANSWERS: Final[dict[str, Answer]] = {
    "applied": {
        "schema": 1,
        "input": {"partition": 2, "offset": 0},
        "type": "place",
        "order_id": "order1",
        "user_id": "alice",
        "event_id": "e-17",
        "occurred_at": "2026-01-31T12:00:00.000Z",
        "result": "applied",
    },
    "rejected": {
        "schema": 1,
        "input": {"partition": 2, "offset": 3},
        "type": "pause",
        "order_id": "order1",
        "user_id": "alice",
        "occurred_at": "2026-01-31T12:00:07.125Z",
        "result": "rejected",
        "reason": "already_paused",
    },
    "cancelled-all": {
        "schema": 1,
        "input": {"partition": 2, "offset": 4},
        "type": "cancel_all_by_user",
        "user_id": "alice",
        "occurred_at": "2026-01-31T12:00:09.000Z",
        "result": "applied",
        "count": 2,
    },
    "malformed": {
        "schema": 1,
        "input": {"partition": 2, "offset": 5},
        "result": "rejected",
        "reason": "malformed",
    },
    "forwarded": {
        "schema": 1,
        "input": {"partition": 0, "offset": 0},
        "type": "cancel",
        "order_id": "order1",
        "occurred_at": "2026-01-31T12:00:08.000Z",
        "result": "forwarded",
    },
    "revoked": {
        "schema": 1,
        "input": {"partition": 1, "offset": 6},
        "type": "place",
        "order_id": "order1",
        "user_id": "bob",
        "occurred_at": "2026-01-31T12:00:00.001Z",
        "result": "rejected",
        "reason": "duplicate_order",
        "revoked": True,
    },
}

_ACTIVE: Final[LiveOrder] = {
    "schema": 1,
    "order_id": "order1",
    "user_id": "alice",
    "currency": "BTC",
    "amount": "1.50",
    "price": "50000.25",
    "status": "active",
    "placed_at": "2026-01-31T12:00:00.000Z",
    "updated_at": "2026-01-31T12:00:00.000Z",
    "stream": 2,
    "placed_seq": 1,
    "seq": 1,
}
_PAUSED: Final[LiveOrder] = {
    **_ACTIVE,
    "status": "paused",
    "updated_at": "2026-01-31T12:00:07.000125Z",
    "seq": 3,
}
_OWNER: Final[Owner] = {
    "schema": 1,
    "order_id": "order1",
    "user_id": "alice",
    "stream": 2,
    "placement": "2:1",
    "input": {"partition": 2, "offset": 0},
}


def _event(value: dict[str, JsonValue]) -> bytes:
    written = json.dumps(value).encode()
    parsed = parse_event(written)
    if isinstance(parsed, Refusal):
        raise ValueError(parsed.detail)
    return written


def _texts(headers: Sequence[Header]) -> bytes:
    return json.dumps({name: (value or b"").decode() for name, value in headers}).encode()


def _dead_letter(max_bytes: int) -> bytes:
    letter = dead_letter(
        Refusal("invalid", "amount: must be greater than 0; colour: unknown field"),
        key=b"bob",
        value=b'{"type":"place","amount":"-5","colour":"red"}',
        headers=[],
        topic="orders.events",
        partition=1,
        offset=7,
        max_bytes=max_bytes,
    )
    return _texts(letter.headers)


def _examples() -> dict[str, bytes]:
    chunk = {"snapshot_id": _SNAPSHOT_ID, "chunk": 0, "orders": [_PAUSED]}
    begin = {
        "schema": 1,
        "snapshot_id": _SNAPSHOT_ID,
        "stream": 2,
        "as_of_seq": 3,
        "as_of_offset": 4,
        "live_offset": 3,
        "taken_at": "2026-01-31T12:00:08.354348Z",
    }
    end = {
        "snapshot_id": _SNAPSHOT_ID,
        "chunks": 1,
        "order_count": 1,
        "state_hash": "8c0f157ceb8c8ad78580f71b1a8fcffd71c45be87d604253415f33bdb3e3102f",
    }
    removed: list[Header] = [(SEQ_HEADER, b"4"), (TIME_HEADER, b"2026-01-31T12:00:08.000Z")]
    return {
        **{f"event.{name}": _event(event) for name, event in _EVENTS.items()},
        **{f"answer.{name}": dump(ANSWER, answer) for name, answer in _ANSWERS.items()},
        "live-order.active": dump(LIVE_ORDER, _ACTIVE),
        "live-order.paused": dump(LIVE_ORDER, _PAUSED),
        "live-order-removed-headers": _texts(removed),
        "snapshot-begin": dump(BEGIN, begin),
        "snapshot-chunk": dump(CHUNK, chunk),
        "snapshot-end": dump(END, end),
        "dead-letter-headers": _dead_letter(1_000_000),
        "dead-letter-headers.truncated": _dead_letter(300),
        "replay-note-headers": _texts(replay_note(Position(1, 0), Position(1, 8))),
        "owner": dump(OWNER, _OWNER),
        **INTERNAL_EXAMPLES,
    }


EXAMPLES: Final = _examples()
"""Each example's bytes, under its file's name without ``.json``."""
