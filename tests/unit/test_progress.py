"""The records of ``orders.progress``: few, short, and refused when they are not ours."""

import pytest

from processor.core.event_time.finished_offsets import EVENTS, ROUTED, FinishedOffsets
from processor.core.event_time.progress_log import ProgressLog
from processor.core.event_time.progress_table import ProgressTable
from processor.core.event_time.seen_blocks import SeenBlocks
from processor.core.event_time.seen_ids import SeenIds, id_digest
from processor.wire.live_order import SEQ_HEADER
from processor.wire.position import dump_origin, dump_position
from processor.wire.progress import PROGRESS_RECORD, parse_progress
from processor.wire.record import Record
from tests.unit.test_position import BUSY, LEAST, ORIGIN


def finish(offsets: FinishedOffsets, *events: int, committed: tuple[int, int] = (0, 0)) -> None:
    for offset in events:
        offsets.adder(EVENTS)(offset)
    offsets.write(committed)


def table(*records: Record) -> ProgressTable:
    found = ProgressTable()
    for record in records:
        found.put(*record)
    return found


def test_small_transactions_write_one_record_anew() -> None:
    log = ProgressLog()
    offsets = FinishedOffsets(log)
    finish(offsets, 5)
    finish(offsets, 8, 6)
    finish(offsets, 9, committed=(6, 0))
    records = log.drain()
    assert [key for key, _, _ in records] == [b"finished/0000000000000001"] * 3
    assert table(*records).finished((0, 0)) == ([(6, 7), (8, 10)], [])
    assert log.extents["records"] == 1


def test_a_transaction_that_goes_past_a_record_and_has_more_writes_it_anew() -> None:
    log = ProgressLog()
    offsets = FinishedOffsets(log)
    finish(offsets, 5)
    finish(offsets, 9, committed=(7, 0))
    assert [(key, value is None) for key, value, _ in log.drain()] == [
        (b"finished/0000000000000001", False)
    ] * 2


def test_a_full_record_is_left_alone_until_both_offsets_are_past_it() -> None:
    log = ProgressLog()
    offsets = FinishedOffsets(log)
    offsets.adder(ROUTED)(7)
    finish(offsets, *range(1, 400, 2))
    finish(offsets, 500)
    finish(offsets, committed=(400, 7))
    assert log.extents["records"] == 2
    finish(offsets, committed=(400, 8))
    assert log.extents["records"] == 1
    finish(offsets, committed=(501, 8))
    assert log.extents == {"seq": 4, "records": 0, "sum": 0}
    records = log.drain()
    assert [key[-2:] for key, _, _ in records if key] == [b"01", b"02", b"01", b"02"]
    assert records[-1] == (b"finished/0000000000000002", None, [(SEQ_HEADER, b"4")])


def test_records_are_bounded() -> None:
    log = ProgressLog()
    offsets = FinishedOffsets(log)
    # Pairs far apart: seven characters each.
    done = [10**12 + 1000 * n + more for n in range(20_000) for more in (0, 1)]
    for offset in done:
        offsets.adder(ROUTED)(offset)
    finish(offsets, *done, committed=(1, 1))
    blocks, seen = SeenBlocks(log), SeenIds(10**6)
    for number in range(20_000):
        seen.add(id_digest(str(number)))
    blocks.write(seen)
    records = log.drain()
    assert max(len(value or b"") for _, value, _ in records) < 64 * 1024
    found = table(*records)
    assert len(found.finished((0, 0))[0]) == len(found.finished((0, 0))[1]) == 20_000
    assert len(found.seen_ids(log, 10**6, 20_000)[0]) == 20_000


def test_a_record_is_written_as_pydantic_would_write_it() -> None:
    log = ProgressLog(seq=40)
    finish(FinishedOffsets(log), 5, 6, 9)
    seen = SeenIds(9)
    seen.add(id_digest("e1"))
    SeenBlocks(log).write(seen)
    for _, value, _ in log.drain():
        assert value == PROGRESS_RECORD.dump_json(parse_progress(value or b""))


def test_a_table_that_lacks_a_record_or_has_an_older_one_is_told_from_a_whole_one() -> None:
    log = ProgressLog()
    offsets = FinishedOffsets(log)
    finish(offsets, 5)
    old = log.extents
    finish(offsets, 5 + 2)
    first, second = log.drain()
    whole = log.extents["records"], log.extents["sum"]
    assert table(first, second).extents == whole
    assert table(first).extents == (old["records"], old["sum"]) != whole
    assert table().extents != whole


def test_the_highest_seq_is_known_from_tombstones_too() -> None:
    log = ProgressLog()
    offsets = FinishedOffsets(log)
    finish(offsets, 5)
    finish(offsets, committed=(6, 0))
    found = table(*log.drain())
    assert (found.seq, found.extents) == (2, (0, 0))
    assert found.finished((0, 0)) == ([], [])
    assert found.log(7).extents["seq"] == 7


def test_ids_are_removed_when_repeats_are_not_refused_any_more() -> None:
    log = ProgressLog()
    seen = SeenIds(9)
    seen.add(1)
    SeenBlocks(log).write(seen)
    finish(FinishedOffsets(log), 5)
    found = table(*log.drain())
    log = found.log(0)
    found.remove_ids(log)
    assert [(key, value) for key, value, _ in log.drain()] == [(b"ids/0000000000000001", None)]
    assert log.extents["records"] == 1


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (None, None),
        (b"ids/1", None),
        (b"ids/1", b"{}"),
        (b"other", b'{"schema":1,"type":"finished","seq":1,"events":[],"routed":[]}'),
        (b"ids/1", b'{"schema":1,"type":"finished","seq":1,"events":[],"routed":[]}'),
        (b"finished/1", b'{"schema":2,"type":"finished","seq":1,"events":[],"routed":[]}'),
        (b"finished/1", b'{"schema":1,"type":"finished","seq":1,"events":[-1],"routed":[]}'),
        (b"position", None),
        (b"position", dump_origin(ORIGIN)),
        (b"origin", None),
        (b"origin", dump_position(LEAST)),
        (b"other", dump_position(LEAST)),
        (b"ids/1", b'{"schema":1,"type":"ids","seq":1,"at":[5],"ids":""}'),
        (b"ids/1", b'{"schema":1,"type":"ids","seq":1,"at":[5],"ids":"*"}'),
    ],
)
def test_a_record_of_somebody_else_is_refused(key: bytes | None, value: bytes | None) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  each says it in its own words
        ProgressTable().put(key, value, [])


def test_position_and_origin_stand_beside_the_rest_and_do_not_count() -> None:
    log = ProgressLog()
    finish(FinishedOffsets(log), 5)
    records = log.drain()
    found = table(
        (b"origin", dump_origin(ORIGIN), []),
        (b"position", dump_position(LEAST), []),
        *records,
        (b"position", dump_position(BUSY), []),
    )
    assert (found.position, found.origin) == (BUSY, ORIGIN)
    assert found.position_value == dump_position(BUSY)
    assert found.extents == table(*records).extents
    assert (table(*records).position, table(*records).origin) == (None, None)


def test_small_transactions_write_one_record_of_ids_anew() -> None:
    log, seen = ProgressLog(), SeenIds(1000)
    blocks = SeenBlocks(log)
    for number in range(130):
        seen.add(id_digest(str(number)))
        blocks.write(seen)
    keys = [key for key, _, _ in log.drain()]
    assert [keys.count(key) for key in dict.fromkeys(keys)] == [64, 64, 2]


def test_a_record_of_ids_goes_with_the_last_id_that_is_remembered() -> None:
    log, seen = ProgressLog(), SeenIds(2)
    blocks = SeenBlocks(log)
    seen.add(1)
    seen.skip(1)
    blocks.write(seen)
    written = log.drain()
    assert 1 in table(*written).seen_ids(log, 2, 2)[0]
    seen.skip(1)
    blocks.write(seen)
    written += log.drain()
    assert written[-1][1] is None
    # Not even to a memory that is longer by now.
    assert 1 not in table(*written).seen_ids(log, 100, 3)[0]
