"""Reading: a whole snapshot, joined with the changes after it."""

import json
from typing import Any

import pytest

from processor.core.orders.order import Order
from processor.core.orders.records import order_json
from processor.core.orders.state_hash import hash_orders
from processor.reader.view import Snapshot, SnapshotTable, StreamView
from processor.wire.snapshot import SnapshotBegin
from tests.builders import live_record, order, record

ORDERS = [order("o1", placed_seq=1), order("o2", placed_seq=2)]


def records_of(
    orders: list[Order] = ORDERS, *, slot: str = "a", as_of_seq: int = 2, snapshot_id: str = "s1"
) -> dict[str, dict[str, Any]]:
    """A snapshot's records with a chunk for each order."""
    begin = {
        "schema": 1,
        "snapshot_id": snapshot_id,
        "stream": 0,
        "as_of_seq": as_of_seq,
        "as_of_offset": 10,
        "live_offset": 20,
        "taken_at": "1970-01-01T00:00:30Z",
    }
    end = {
        "snapshot_id": snapshot_id,
        "chunks": len(orders),
        "order_count": len(orders),
        "state_hash": hash_orders(orders),
    }
    chunks = {
        f"{slot}/{n:04}": {"snapshot_id": snapshot_id, "chunk": n, "orders": [record(one)]}
        for n, one in enumerate(orders)
    }
    return {f"{slot}/begin": begin, **chunks, f"{slot}/end": end}


def table_of(*snapshots: dict[str, dict[str, Any]]) -> SnapshotTable:
    table = SnapshotTable()
    for records in snapshots:
        for key, value in records.items():
            table.put(key.encode(), json.dumps(value).encode())
    return table


def view_of(orders: list[Order], as_of_seq: int) -> StreamView:
    begin: SnapshotBegin = {
        "schema": 1,
        "snapshot_id": "s1",
        "stream": 0,
        "as_of_seq": as_of_seq,
        "as_of_offset": 0,
        "live_offset": 0,
        "taken_at": "1970-01-01T00:00:30Z",
    }
    return StreamView(Snapshot(begin, orders))


def put(view: StreamView, one: Order) -> None:
    view.put(one.order_id.encode(), order_json(one, 0), [])


def remove(view: StreamView, order_id: str, seq: int) -> None:
    view.put(order_id.encode(), None, [("seq", b"%d" % seq)])


def test_a_whole_snapshot_is_read() -> None:
    latest = table_of(records_of()).latest()
    assert latest is not None
    assert (latest.orders, latest.taken_at_us) == (ORDERS, 30_000_000)


def test_no_records_are_no_snapshot() -> None:
    assert SnapshotTable().latest() is None


@pytest.mark.parametrize("key", ["a/begin", "a/0000", "a/0001", "a/end"])
def test_a_snapshot_with_a_part_missing_is_not_used(key: str) -> None:
    table = table_of(records_of())
    table.put(key.encode(), None)
    assert table.latest() is None


@pytest.mark.parametrize(
    ("key", "changed"),
    [
        ("a/begin", {"snapshot_id": "s2"}),
        ("a/begin", {"schema": 2}),
        ("a/0001", {"snapshot_id": "s2"}),
        ("a/0001", {"chunk": 0}),
        ("a/0001", {"orders": []}),
        ("a/0001", {"orders": [record(ORDERS[0])]}),
        ("a/0001", {"orders": [{**record(ORDERS[1]), "status": "paused"}]}),
        ("a/0001", {"orders": [{**record(ORDERS[1]), "placed_at": "never"}]}),
        ("a/0001", {"orders": "none"}),
        ("a/end", {"snapshot_id": "s2"}),
        ("a/end", {"chunks": 1}),
        ("a/end", {"chunks": 3}),
        ("a/end", {"order_count": 3}),
        ("a/end", {"state_hash": "0" * 64}),
    ],
)
def test_a_snapshot_whose_parts_do_not_agree_is_not_used(key: str, changed: dict[str, Any]) -> None:
    records = records_of()
    records[key] |= changed
    assert table_of(records).latest() is None


def test_bytes_that_are_no_snapshot_record_are_passed_over() -> None:
    table = table_of(records_of())
    table.put(b"b/begin", b"\xff")
    table.put(b"other", b"x")
    table.put(None, b"x")
    assert table.latest() is not None


def test_of_two_whole_snapshots_the_later_one_counts() -> None:
    old = records_of(ORDERS[:1], slot="b", as_of_seq=1, snapshot_id="s0")
    for table in (table_of(old, records_of()), table_of(records_of(), old)):
        latest = table.latest()
        assert latest is not None
        assert latest.begin["snapshot_id"] == "s1"


def test_without_a_snapshot_the_changes_alone_make_the_list() -> None:
    view = StreamView()
    put(view, order("o1", placed_seq=1))
    put(view, order("o2", placed_seq=2))
    remove(view, "o1", 3)
    assert view.orders() == [ORDERS[1]]


@pytest.mark.parametrize(("seq", "is_taken"), [(4, False), (5, False), (6, True)])
def test_a_change_counts_only_if_it_is_later_than_the_snapshot(seq: int, is_taken: bool) -> None:
    paused = order("o1", status="paused", placed_seq=1, seq=seq)
    view = view_of(ORDERS, as_of_seq=5)
    put(view, paused)
    assert view.orders()[0] == (paused if is_taken else ORDERS[0])


@pytest.mark.parametrize(("seq", "is_taken"), [(4, False), (5, False), (6, True)])
def test_a_removal_counts_only_if_it_is_later_than_the_snapshot(seq: int, is_taken: bool) -> None:
    view = view_of(ORDERS, as_of_seq=5)
    remove(view, "o1", seq)
    assert view.orders() == (ORDERS[1:] if is_taken else ORDERS)


def test_a_removal_says_when_what_removed_it_occurred() -> None:
    view = view_of(ORDERS, as_of_seq=5)
    key, value, headers = live_record(("o1", 1, 2_000_001, 6), 0)
    ((kind, seq, _, at_us),) = view.put(key, value, headers)
    assert (kind, seq, at_us) == ("removed", 6, 2_000_001)


def test_a_removal_of_an_older_version_does_not_say_when() -> None:
    view = view_of(ORDERS, as_of_seq=5)
    (removal,) = view.put(b"o1", None, [("seq", b"6")])
    assert removal.at_us is None


@pytest.mark.parametrize("time", [b"yesterday", b"\xff", b""])
def test_a_removal_at_no_time_is_an_error(time: bytes) -> None:
    with pytest.raises(ValueError, match=r"time|decode"):
        view_of(ORDERS, as_of_seq=5).put(b"o1", None, [("seq", b"6"), ("occurred_at", time)])


def test_the_removal_of_an_order_that_is_not_there_changes_nothing() -> None:
    view = view_of(ORDERS, as_of_seq=5)
    remove(view, "o9", 6)
    assert view.orders() == ORDERS


def test_the_list_is_in_placement_order_whatever_changed_last() -> None:
    view = view_of(ORDERS, as_of_seq=5)
    put(view, order("o3", placed_seq=7))
    put(view, order("o1", status="paused", placed_seq=1, seq=8))
    assert [one.label() for one in view.orders()] == ["o1(paused)", "o2", "o3"]


def test_an_order_placed_again_is_last() -> None:
    view = view_of(ORDERS, as_of_seq=5)
    remove(view, "o1", 6)
    put(view, order("o1", placed_seq=7))
    assert [one.order_id for one in view.orders()] == ["o2", "o1"]


@pytest.mark.parametrize("value", [b"", b"{}", b"\xff", b"null"])
def test_a_record_of_somebody_else_is_an_error(value: bytes) -> None:
    with pytest.raises(ValueError, match="validation error"):
        StreamView().put(b"o1", value, [])
