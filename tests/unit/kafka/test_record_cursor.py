"""Handing out the records of batches, some at a time."""

from processor.kafka.fetching.committed import CommittedBatch, CommittedData
from processor.kafka.fetching.reading import Reading
from processor.kafka.record_cursor import RecordCursor
from tests.unit.kafka.log_bytes import batch, plain, record


def committed(base_offset: int, next_offset: int, data: bytes) -> CommittedBatch:
    return CommittedBatch(base_offset, next_offset, 2, data)


def cursor_of(*batches: CommittedBatch, end: int, offset: int = 0) -> RecordCursor:
    """A cursor over buffered batches; ``end`` is behind the markers after them."""
    reading = Reading("a", 0, offset, None)
    cursor = RecordCursor(reading)
    reading.add(CommittedData(batches, end))
    return cursor


def taken(cursor: RecordCursor, max_records: int) -> list[int]:
    return [one.offset for one in cursor.take(max_records)]


TWO = (committed(0, 2, plain(0, b"1", b"2")), committed(2, 4, plain(2, b"3", b"4")))


def test_a_limit_is_for_all_batches_together() -> None:
    cursor = cursor_of(*TWO, end=4)
    assert (taken(cursor, 3), cursor.position) == ([0, 1, 2], 3)
    assert (taken(cursor, 3), cursor.position) == ([3], 4)
    assert (taken(cursor, 3), cursor.position) == ([], 4)


def test_it_begins_amid_a_batch() -> None:
    cursor = cursor_of(*TWO, end=4, offset=1)
    assert (taken(cursor, 1), cursor.position) == ([1], 2)


def test_markers_after_the_last_record_are_passed_with_it() -> None:
    cursor = cursor_of(*TWO, end=7)
    assert (taken(cursor, 2), cursor.position) == ([0, 1], 2)
    assert (taken(cursor, 2), cursor.position) == ([2, 3], 7)


def test_a_hole_at_the_end_of_a_batch_is_passed_when_more_is_asked_for() -> None:
    holey = committed(0, 5, batch(0, [record(0, None, b"1")], last_delta=4))
    cursor = cursor_of(holey, committed(5, 6, plain(5, b"2")), end=6)
    assert (taken(cursor, 9), cursor.position) == ([0, 5], 6)


def test_a_hole_at_the_end_of_the_last_batch_is_passed() -> None:
    holey = committed(0, 5, batch(0, [record(0, None, b"1")], last_delta=4))
    cursor = cursor_of(holey, end=5)
    assert (taken(cursor, 1), cursor.position) == ([0], 1)
    assert (taken(cursor, 1), cursor.position) == ([], 5)


def test_names_that_are_no_utf8_amid_a_batch_lose_and_repeat_nothing() -> None:
    odd = [record(n, None, b"v", [(b"\xff", b"h")] if n == 2 else []) for n in range(4)]
    cursor = cursor_of(committed(0, 4, batch(0, odd)), end=4)
    assert taken(cursor, 1) == [0]
    assert taken(cursor, 9) == [1, 2, 3]
    assert cursor.position == 4
