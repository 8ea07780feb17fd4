"""What tasks rely on when they read."""

import pytest

from processor.errors import OffsetGone
from processor.task.ports import Partition
from processor.wire.record import Record
from tests.contract.backends import Backend
from tests.contract.reading import keys, read_all, read_to, record
from tests.contract.writing import commit, crash_while_committing, owned


async def test_the_position_passes_markers_and_gets_to_the_end(backend: Backend) -> None:
    process, topic = await backend.process(), backend.topics.live
    broker, where = process.broker, Partition(topic, 0)
    await commit(await owned(process), {where: [record("one"), record("two")]})
    await read_all(broker, where)
    end = (await broker.bounds(topic, 0)).end
    reader = await broker.read(topic, 0, 0)
    found = await read_to(reader, end)
    assert found[-1].offset == 1
    assert reader.position == end == 3
    await reader.close()


async def test_the_position_passes_an_aborted_end(backend: Backend) -> None:
    process, topic = await backend.process(), backend.topics.live
    broker, where = process.broker, Partition(topic, 0)
    await commit(await owned(process), {where: [record("one")]})
    await read_all(broker, where)
    await crash_while_committing(process, {where: [record("half"), record("done")]})
    await owned(process)
    end = (await broker.bounds(topic, 0)).end
    reader = await broker.read(topic, 0, 0)
    assert keys(await read_to(reader, end)) == ["one"]
    assert reader.position == end == 5
    await reader.close()


async def test_an_open_transaction_is_behind_the_end(backend: Backend) -> None:
    process, topic = await backend.process(), backend.topics.live
    broker = process.broker
    await crash_while_committing(process, {Partition(topic, 0): [record("open")]})
    await backend.append(topic, 0, [record("behind it")])
    assert await broker.bounds(topic, 0) == (0, 0)
    reader = await broker.read(topic, 0, 0)
    assert list(await reader.fetch(max_records=10, timeout_ms=300)) == []
    assert (reader.position, reader.lag) == (0, 0)
    await reader.close()


async def test_an_empty_fetch_is_not_the_end(backend: Backend) -> None:
    broker, topic = (await backend.process()).broker, backend.topics.events
    await backend.append(topic, 0, [record("one")])
    reader = await broker.read(topic, 0, 0)
    assert list(await reader.fetch(max_records=10, timeout_ms=0)) == []
    assert reader.position == 0
    assert keys(await read_to(reader, 1)) == ["one"]
    await reader.close()


async def test_a_fetch_at_the_end_comes_back_and_later_records_follow(backend: Backend) -> None:
    broker, topic = (await backend.process()).broker, backend.topics.events
    reader = await broker.read(topic, 0, 0)
    assert list(await reader.fetch(max_records=10, timeout_ms=200)) == []
    await backend.append(topic, 0, [record("late")])
    assert keys(await read_to(reader, 1)) == ["late"]
    await reader.close()


async def test_reading_starts_exactly_where_it_is_told_to(backend: Backend) -> None:
    broker, topic = (await backend.process()).broker, backend.topics.events
    await backend.append(topic, 0, [record(f"{n}") for n in range(20)])
    for start in (0, 7, 19, 20):
        reader = await broker.read(topic, 0, start)
        assert reader.position == start
        found = await read_to(reader, 20)
        assert [one.offset for one in found] == list(range(start, 20))
        await reader.close()


async def test_a_fetch_gives_no_more_than_asked_for_in_order(backend: Backend) -> None:
    broker, topic = (await backend.process()).broker, backend.topics.events
    await backend.append(topic, 0, [record(f"{n}") for n in range(50)])
    reader = await broker.read(topic, 0, 0)
    found: list[str] = []
    while reader.position < 50:
        some = await reader.fetch(max_records=7, timeout_ms=200)
        assert len(some) <= 7
        found += keys(some)
        assert reader.position == len(found)
    assert found == [f"{n}" for n in range(50)]
    await reader.close()


async def test_lag_is_what_is_left_to_read(backend: Backend) -> None:
    broker, topic = (await backend.process()).broker, backend.topics.events
    await backend.append(topic, 0, [record(f"{n}") for n in range(10)])
    reader = await broker.read(topic, 0, 0)
    while reader.position < 4:
        await reader.fetch(max_records=4 - reader.position, timeout_ms=200)
    assert reader.lag == 6
    await read_to(reader, 10)
    assert reader.lag == 0
    await reader.close()


async def test_records_come_back_as_they_were_written(backend: Backend) -> None:
    process, topic = await backend.process(), backend.topics.dead_letters
    where = Partition(topic, 1)
    written: list[Record] = [
        (None, None, []),
        (b"", b"", []),
        (b"\xff\xfe key", b"\x00\xff value", [("h", b"\xff"), ("h", None), ("ä", b"")]),
        (b"tombstone", None, [("seq", b"12")]),
    ]
    await backend.append(topic, 1, written)
    await commit(await owned(process), {where: written})
    found = await read_all(process.broker, where)
    assert [(one.key, one.value, list(one.headers)) for one in found] == written * 2
    assert all(one.timestamp > 1_500_000_000_000 for one in found)


async def test_an_empty_partition_has_equal_bounds(backend: Backend) -> None:
    broker = (await backend.process()).broker
    assert await broker.bounds(backend.topics.events, 1) == (0, 0)


async def test_bounds_begin_where_removal_stopped(backend: Backend) -> None:
    broker, topic = (await backend.process()).broker, backend.topics.events
    await backend.append(topic, 0, [record(f"{n}") for n in range(10)])
    await backend.delete_before(topic, 0, 4)
    assert await broker.bounds(topic, 0) == (4, 10)
    assert keys(await read_all(broker, Partition(topic, 0))) == [f"{n}" for n in range(4, 10)]


@pytest.mark.parametrize("offset", [3, 11], ids=["removed", "past the end"])
async def test_an_offset_that_is_not_there_is_said_to_be_gone(
    backend: Backend, offset: int
) -> None:
    broker, topic = (await backend.process()).broker, backend.topics.events
    await backend.append(topic, 0, [record(f"{n}") for n in range(10)])
    await backend.delete_before(topic, 0, 4)
    reader = await broker.read(topic, 0, offset)
    with pytest.raises(OffsetGone):
        await read_to(reader, offset + 1)
    await reader.close()
