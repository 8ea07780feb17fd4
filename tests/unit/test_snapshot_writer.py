"""When snapshots are taken, how they are cut, and that a whole one is always there."""

import json

import pytest

from processor.core.orders.order import Order
from processor.core.orders.snapshot import SnapshotPolicy, SnapshotRecord, SnapshotWriter
from processor.core.orders.stream import OrderStream
from processor.reader.view import SnapshotTable
from processor.wire.snapshot import MAX_CHUNK_BYTES
from tests.builders import apply, order, place

# With slices so small, every order gets a chunk of its own.
TINY = SnapshotPolicy(slice_bytes=1)
POLICY = SnapshotPolicy(interval_ms=1000, max_age_ms=600_000, small_bytes=32 * 1024)


def stream_of_orders(count: int) -> OrderStream:
    """A stream with orders o1, o2 ... and their number as its seq."""
    orders = [order(f"o{n}", placed_seq=n) for n in range(1, count + 1)]
    return OrderStream(0, 1, seq=count, orders=orders)


def begin(
    writer: SnapshotWriter, source: OrderStream, snapshot_id: str = "s1", now_ms: int = 0
) -> None:
    writer.begin(
        source,
        snapshot_id=snapshot_id,
        as_of_offset=10,
        live_offset=20,
        taken_at_us=30_000_000,
        now_ms=now_ms,
    )


def drain(writer: SnapshotWriter) -> list[list[SnapshotRecord]]:
    """Write a snapshot to its end, and return its slices."""
    slices = []
    while writer.writing:
        slices.append(writer.next_slice(0))
    return slices


def write(
    writer: SnapshotWriter, source: OrderStream, table: SnapshotTable, snapshot_id: str = "s1"
) -> list[SnapshotRecord]:
    """Take a whole snapshot into a table."""
    begin(writer, source, snapshot_id)
    records = [record for one in drain(writer) for record in one]
    put(table, records)
    return records


def put(table: SnapshotTable, records: list[SnapshotRecord]) -> None:
    for record in records:
        table.put(record.key, record.value)


def latest_ids(table: SnapshotTable) -> list[str] | None:
    latest = table.latest()
    return None if latest is None else [one.order_id for one in latest.orders]


def keys(records: list[SnapshotRecord]) -> list[bytes]:
    return [record.key for record in records]


# When


def test_a_tasks_first_snapshot_is_due_at_once() -> None:
    assert SnapshotWriter(0, POLICY).due(OrderStream(0, 1), now_ms=0)


@pytest.mark.parametrize(
    ("orders", "changed", "age_ms", "other_bytes", "is_due"),
    [
        (0, False, 10**12, 10**12, False),  # nothing changed: never
        (0, True, 999, 10**12, False),  # too soon
        (0, True, 1000, 0, True),  # small: as often as allowed
        (10_000, True, 1000, 0, False),  # large and nothing earned
        (10_000, True, 299_999, 0, False),
        (10_000, True, 300_000, 0, True),  # but well before the highest age
        (10_000, True, 1000, 4_000_000, False),
        (10_000, True, 1000, 30_000_000, True),  # large and earned
        (10_000, True, 999, 30_000_000, False),
    ],
)
def test_a_snapshot_is_due_when_something_changed_and_it_is_small_earned_or_old(
    *, orders: int, changed: bool, age_ms: int, other_bytes: int, is_due: bool
) -> None:
    source = stream_of_orders(orders)
    writer = SnapshotWriter(0, POLICY)
    begin(writer, source, now_ms=5000)
    drain(writer)
    writer.count_other_bytes(other_bytes)
    if changed:
        apply(source, place("new"))
    assert writer.due(source, now_ms=5000 + age_ms) is is_due


def test_no_snapshot_is_due_while_one_is_written() -> None:
    source = stream_of_orders(3)
    writer = SnapshotWriter(0, TINY)
    begin(writer, source)
    writer.next_slice(0)
    apply(source, place("new"))
    assert not writer.due(source, now_ms=10**12)


def test_a_change_while_one_is_written_makes_the_next_one_due() -> None:
    source = stream_of_orders(3)
    writer = SnapshotWriter(0, TINY)
    begin(writer, source)
    apply(source, place("new"))
    drain(writer)
    assert writer.due(source, now_ms=1000)


def test_the_bytes_written_before_a_snapshot_do_not_earn_a_second_one() -> None:
    source = stream_of_orders(10_000)
    writer = SnapshotWriter(0, POLICY)
    writer.count_other_bytes(10**9)
    begin(writer, source)
    drain(writer)
    apply(source, place("new"))
    assert not writer.due(source, now_ms=1000)


def test_snapshots_of_a_large_list_stay_under_a_fifth_of_the_bytes_written() -> None:
    source = stream_of_orders(2000)
    writer = SnapshotWriter(0, POLICY)
    snapshot_bytes = other_bytes = 0
    for second in range(300):
        apply(source, place(f"new{second}"))
        writer.count_other_bytes(50_000)
        other_bytes += 50_000
        if writer.due(source, now_ms=1000 * second):
            begin(writer, source, now_ms=1000 * second)
            records = [record for one in drain(writer) for record in one]
            # The one at the start is a gift.
            snapshot_bytes += sum(len(r.value or b"") for r in records) if second else 0
    assert 0.05 < snapshot_bytes / (snapshot_bytes + other_bytes) <= 0.2


def test_a_policy_whose_slices_do_not_fit_a_chunk_is_refused() -> None:
    with pytest.raises(ValueError, match="slices must leave a chunk under 262144 bytes"):
        SnapshotPolicy(slice_bytes=MAX_CHUNK_BYTES - 1023)


# What


def test_a_snapshot_is_begin_chunks_and_end() -> None:
    source = stream_of_orders(2)
    writer = SnapshotWriter(5, TINY)
    begin(writer, source)
    records = [record for one in drain(writer) for record in one]
    assert keys(records) == [b"a/begin", b"a/0000", b"a/0001", b"a/end"]
    first, *chunks, last = (json.loads(record.value or b"") for record in records)
    assert first == {
        "schema": 1,
        "snapshot_id": "s1",
        "stream": 5,
        "as_of_seq": 2,
        "as_of_offset": 10,
        "live_offset": 20,
        "taken_at": "1970-01-01T00:00:30.000Z",
    }
    assert [(chunk["snapshot_id"], chunk["chunk"]) for chunk in chunks] == [("s1", 0), ("s1", 1)]
    assert [one["order_id"] for chunk in chunks for one in chunk["orders"]] == ["o1", "o2"]
    assert last == {
        "snapshot_id": "s1",
        "chunks": 2,
        "order_count": 2,
        "state_hash": source.state_hash,
    }


def test_an_empty_stream_has_a_snapshot_too() -> None:
    table = SnapshotTable()
    records = write(SnapshotWriter(0, POLICY), OrderStream(0, 1), table)
    assert keys(records) == [b"a/begin", b"a/end"]
    assert latest_ids(table) == []


def test_there_is_no_slice_when_nothing_is_being_written() -> None:
    assert SnapshotWriter(0, POLICY).next_slice(0) == []


def test_a_snapshot_shows_the_list_as_it_was_when_it_began() -> None:
    source = stream_of_orders(3)
    writer, table = SnapshotWriter(0, TINY), SnapshotTable()
    begin(writer, source)
    put(table, writer.next_slice(0))
    apply(source, place("new"))
    for one in drain(writer):
        put(table, one)
    assert latest_ids(table) == ["o1", "o2", "o3"]


@pytest.mark.parametrize("slice_bytes", [1, 400, 1000, 10_000])
def test_a_slice_is_one_chunk_that_ends_with_the_order_that_fills_it(slice_bytes: int) -> None:
    writer = SnapshotWriter(0, SnapshotPolicy(slice_bytes=slice_bytes))
    begin(writer, stream_of_orders(100))
    for one in drain(writer):
        chunks = [r for r in one if r.key not in (b"a/begin", b"a/end")]
        assert len(chunks) == 1
        # At most one order of some 230 bytes over, and the envelope.
        assert sum(len(record.value or b"") for record in chunks) <= slice_bytes + 300


def test_no_chunk_is_longer_than_256_kib_even_with_the_longest_orders() -> None:
    digits = "9" * 20 + "." + "9" * 18
    longest = [
        Order("😀" * 64, "😀" * 64, "x" * 32, digits, digits, "paused", 10**15 + 1, 10**15 + 1,
              2**63 - 1 - n, 2**63 - 1)
        for n in range(700)
    ]  # fmt: skip
    distinct = [one._replace(order_id=f"{n:03}{one.order_id[3:]}") for n, one in enumerate(longest)]
    source = OrderStream(0, 1, seq=2**63 - 1, orders=distinct)
    writer = SnapshotWriter(9999, SnapshotPolicy(slice_bytes=MAX_CHUNK_BYTES - 1024))
    begin(writer, source, snapshot_id="00000000-0000-0000-0000-000000000000")
    sizes = [len(record.value or b"") for one in drain(writer) for record in one]
    assert MAX_CHUNK_BYTES - 1024 < max(sizes) <= MAX_CHUNK_BYTES


# Where


def test_snapshots_take_turns_in_two_slots() -> None:
    writer = SnapshotWriter(0, POLICY)
    slots = []
    for n in range(4):
        slots.append(writer.next_slot)
        records = write(writer, stream_of_orders(1), SnapshotTable(), f"s{n}")
        assert {key[:1] for key in keys(records)} == {slots[-1].encode()}
    assert slots == ["a", "b", "a", "b"]


@pytest.mark.parametrize("slices", range(5))
def test_a_half_written_snapshot_never_destroys_the_last_whole_one(slices: int) -> None:
    writer, table = SnapshotWriter(0, TINY), SnapshotTable()
    for n in (3, 4):
        write(writer, stream_of_orders(n), table, f"s{n}")
    begin(writer, stream_of_orders(5), "s5")  # over s3, which is in the same slot
    for _ in range(slices):
        put(table, writer.next_slice(0))
        assert latest_ids(table) == (
            ["o1", "o2", "o3", "o4"] if writer.writing else ["o1", "o2", "o3", "o4", "o5"]
        )


def test_chunks_left_over_from_a_longer_list_are_tombstoned() -> None:
    writer, table = SnapshotWriter(0, TINY), SnapshotTable()
    for n, count in enumerate((4, 0)):
        write(writer, stream_of_orders(count), table, f"s{n}")
    records = write(writer, stream_of_orders(1), table, "s2")
    removed = [record.key for record in records if record.value is None]
    assert removed == [b"a/0001", b"a/0002", b"a/0003"]
    assert writer.slot_chunks == {"a": 1, "b": 0}


def test_the_tail_comes_before_the_tombstones() -> None:
    writer = SnapshotWriter(0, TINY, slot_chunks={"a": 3, "b": 0})
    records = write(writer, stream_of_orders(1), SnapshotTable())
    assert keys(records) == [b"a/begin", b"a/0000", b"a/end", b"a/0001", b"a/0002"]


def test_a_snapshot_cut_short_is_written_again_into_the_same_slot_after_a_restart() -> None:
    table = SnapshotTable()
    first = SnapshotWriter(0, TINY)
    write(first, stream_of_orders(2), table, "s0")
    begin(first, stream_of_orders(9), "s1")
    for _ in range(6):
        put(table, first.next_slice(0))
    again = SnapshotWriter(0, TINY, next_slot=first.next_slot, slot_chunks=first.slot_chunks)
    assert (again.next_slot, again.slot_chunks) == ("b", {"a": 2, "b": 6})
    assert again.due(stream_of_orders(9), now_ms=0)
    records = write(again, stream_of_orders(3), table, "s2")
    removed = [record.key for record in records if record.value is None]
    assert removed == [b"b/0003", b"b/0004", b"b/0005"]
    assert latest_ids(table) == ["o1", "o2", "o3"]
    assert again.next_slot == "a"


def test_a_restarted_writer_does_not_share_its_predecessors_extents() -> None:
    first = SnapshotWriter(0, TINY, slot_chunks={"a": 7, "b": 0})
    again = SnapshotWriter(0, TINY, slot_chunks=first.slot_chunks)
    write(again, stream_of_orders(1), SnapshotTable())
    assert first.slot_chunks == {"a": 7, "b": 0}
