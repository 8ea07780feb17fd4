"""Examples of the processor's own records: see `scripts.contract.examples`."""

from typing import Final

from pydantic import TypeAdapter

from processor.wire.claim import Claim, Release
from processor.wire.forwarded import ForwardedCommand, ParkedCommand, RoutedCommand, RoutedEvent
from processor.wire.position import ORIGIN, POSITION, Origin, Position
from processor.wire.progress import EventIds, FinishedOffsets
from processor.wire.revoke import REVOKE, Revoke
from scripts.contract.dump import dump

_AT_MS: Final = 1_769_860_800_000

_CLAIM: Final[Claim] = {
    "schema": 1,
    "type": "claim",
    "order_id": "order1",
    "user_id": "alice",
    "placement": "2:1",
    "input": {"partition": 2, "offset": 0},
}
_RELEASE: Final[Release] = {
    "schema": 1,
    "type": "release",
    "order_id": "order1",
    "placement": "2:1",
}
_REVOKE: Final[Revoke] = {
    "schema": 1,
    "type": "revoke",
    "order_id": "order1",
    "placement": "1:4",
    "input": {"partition": 1, "offset": 6},
}
_FORWARDED: Final[ForwardedCommand] = {
    "schema": 1,
    "type": "forwarded_command",
    "input": {"partition": 0, "offset": 0},
    "timestamp": _AT_MS,
}
_ROUTED_COMMAND: Final[RoutedCommand] = {
    "schema": 1,
    "type": "routed_command",
    "input": {"partition": 0, "offset": 0},
    "timestamp": _AT_MS,
    "placement": "2:1",
}
_ROUTED_EVENT: Final[RoutedEvent] = {
    "schema": 1,
    "type": "routed_event",
    "input": {"partition": 0, "offset": 1},
    "timestamp": _AT_MS,
}
_PARKED: Final[ParkedCommand] = {
    "schema": 1,
    "type": "parked_command",
    "input": {"partition": 0, "offset": 2},
    "timestamp": _AT_MS,
    "deadline": "2026-01-31T12:00:13.000Z",
}
_FINISHED: Final[FinishedOffsets] = {
    "schema": 1,
    "type": "finished",
    "seq": 2,
    # 100 to 102, 105, 110
    "events": [100, -2, 2, 4],
    "routed": [7],
}
_IDS: Final[EventIds] = {
    "schema": 1,
    "type": "ids",
    "seq": 1,
    "at": [0],
    "ids": "FaoeOIPL2KhXoos=",
}
_POSITION: Final[Position] = {
    "schema": 1,
    "type": "position",
    "owner": "live-orders:orders.:9f1c2d3e4a5b6c7d8e9f0a1b2c3d4e5f",
    "events": 5,
    "routed": 0,
    "claims": 2,
    "seq": 3,
    "live_orders": 1,
    "seq_sum": 3,
    "next_slot": "b",
    "slot_chunks": {"a": 1, "b": 0},
    "directory": {"owners": 1, "owners_sum": 8589934593, "parked": 0},
    "progress": {"seq": 1, "records": 1, "sum": 2560658499},
    "reorder": {"released_us": 1769860807000125, "events_read": 5, "routed_read": 0},
    "finished_events": 2,
}
_ORIGIN: Final[Origin] = {
    "schema": 1,
    "type": "origin",
    "app_id": "live-orders",
    "generation": 8,
    "topics": {"orders.events": "6d1a4b0c5e2f4a7b8c9d0e1f2a3b4c5d"},
}
INTERNAL_EXAMPLES: Final = {
    "parked-command": dump(TypeAdapter(ParkedCommand), _PARKED),
    "claim": dump(TypeAdapter(Claim), _CLAIM),
    "release": dump(TypeAdapter(Release), _RELEASE),
    "forwarded-command": dump(TypeAdapter(ForwardedCommand), _FORWARDED),
    "revoke": dump(REVOKE, _REVOKE),
    "routed-command": dump(TypeAdapter(RoutedCommand), _ROUTED_COMMAND),
    "routed-event": dump(TypeAdapter(RoutedEvent), _ROUTED_EVENT),
    "finished-offsets": dump(TypeAdapter(FinishedOffsets), _FINISHED),
    "event-ids": dump(TypeAdapter(EventIds), _IDS),
    "position": dump(POSITION, _POSITION),
    "origin": dump(ORIGIN, _ORIGIN),
}
"""Each example's bytes, under its file's name without ``.json``."""
