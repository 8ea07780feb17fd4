"""A stream's position and origin, as written in ``orders.progress``."""

import json
from typing import Any

import pytest

from processor.wire.position import (
    Origin,
    Position,
    dump_origin,
    dump_position,
    parse_origin,
    parse_position,
)

LEAST: Position = {
    "schema": 1,
    "type": "position",
    "owner": "live-orders:orders.:0b1c",
    "events": 0,
    "routed": 0,
    "claims": 0,
    "seq": 0,
    "live_orders": 0,
    "seq_sum": 0,
    "next_slot": "a",
    "slot_chunks": {"a": 0, "b": 0},
    "directory": {"owners": 0, "owners_sum": 0, "parked": 0},
    "progress": {"seq": 0, "records": 0, "sum": 0},
}
BUSY: Position = {
    "schema": 1,
    "type": "position",
    "owner": "live-orders:orders.:0123456789abcdef0123456789abcdef",
    "events": 2**62,
    "routed": 2**62,
    "claims": 2**62,
    "seq": 2**62,
    "live_orders": 10**9,
    "seq_sum": 2**62 * 10**9,
    "next_slot": "b",
    "slot_chunks": {"a": 10**6, "b": 10**6},
    "directory": {"owners": 10**9, "owners_sum": 10**40, "parked": 10**9},
    "progress": {"seq": 2**62, "records": 10**6, "sum": 2**52},
    "reorder": {"released_us": 2**62, "events_read": 2**62, "routed_read": 2**62},
    "finished_events": 2**62,
}
ORIGIN: Origin = {
    "schema": 1,
    "type": "origin",
    "app_id": "live-orders",
    "generation": 8,
    "topics": {"orders.events": "AAAAAAAAAAAAAAAAAAAAAA", "orders.live": "BAAAAAAAAAAAAAAAAAAAAA"},
}


@pytest.mark.parametrize("position", [LEAST, BUSY], ids=["least", "busy"])
def test_a_position_survives_the_round_trip(position: Position) -> None:
    assert parse_position(dump_position(position)) == position


def test_an_origin_survives_the_round_trip() -> None:
    assert parse_origin(dump_origin(ORIGIN)) == ORIGIN


def test_the_position_of_a_busy_stream_is_short() -> None:
    assert len(dump_position(BUSY)) < 1000


def _changed(value: dict[str, Any], **changes: Any) -> bytes:
    return json.dumps({**value, **changes}).encode()


def _without(value: dict[str, Any], name: str) -> bytes:
    return json.dumps({key: one for key, one in value.items() if key != name}).encode()


NO_OBJECTS = [b"", b" ", b"null", b"[]", b"{}", b"{", b"console-consumer", b"\xff", b"1"]


@pytest.mark.parametrize(
    "value",
    [
        *NO_OBJECTS,
        dump_origin(ORIGIN),
        _changed({**LEAST}, schema=2),
        _changed({**LEAST}, type="origin"),
        _changed({**LEAST}, next_slot="c"),
        _changed({**LEAST}, seq="1"),
        _changed({**LEAST}, owner=None),
        *(_changed({**LEAST}, **{name: -1}) for name in ("events", "routed", "claims")),
    ],
)
def test_what_is_no_position_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  each says it in its own words
        parse_position(value)


@pytest.mark.parametrize("name", LEAST)
def test_a_position_that_lacks_something_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        parse_position(_without({**LEAST}, name))


@pytest.mark.parametrize(
    "value",
    [
        *NO_OBJECTS,
        dump_position(LEAST),
        _changed({**ORIGIN}, schema=2),
        _changed({**ORIGIN}, type="position"),
        _changed({**ORIGIN}, generation="8"),
        _changed({**ORIGIN}, topics={"orders.events": 1}),
        *(_without({**ORIGIN}, name) for name in ORIGIN),
    ],
)
def test_what_is_no_origin_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  each says it in its own words
        parse_origin(value)
