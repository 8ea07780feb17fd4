"""What the runtime relies on when it writes."""

import pytest

from processor.errors import FootingLost
from processor.runtime.ports import Committed, OutputRecord, StreamWriter
from tests.contract.backends import Backend
from tests.contract.reading import commit, keys, read_all, record, settle


async def test_a_transaction_covers_all_topics_and_the_offset(backend: Backend) -> None:
    broker, topics = await backend.broker(), backend.topics
    writer = await broker.fence(0)
    await writer.begin()
    for topic in topics.outputs:
        writer.write(topic, [record("one")])
    before = [await read_all(broker, topic, 0) for topic in topics.outputs]
    offset_before = await broker.committed(0)

    await writer.commit(7, "note")
    await writer.close()
    await settle(broker, 0)

    assert (before, offset_before) == ([[] for _ in topics.outputs], None)
    after = [keys(await read_all(broker, topic, 0)) for topic in topics.outputs]
    assert after == [["one"] for _ in topics.outputs]
    assert await broker.committed(0) == Committed(7, "note")


async def test_writing_goes_to_the_stream_s_own_partition(backend: Backend) -> None:
    broker, topic = await backend.broker(), backend.topics.results
    await commit(broker, 1, topic, record("one"))
    assert keys(await read_all(broker, topic, 1)) == ["one"]
    assert await read_all(broker, topic, 0) == []


async def test_write_says_how_many_bytes_it_added(backend: Backend) -> None:
    broker = await backend.broker()
    writer = await broker.fence(0)
    await writer.begin()
    first = writer.write(backend.topics.results, [record("a", "x" * 1000)])
    second = writer.write(backend.topics.results, [record("b", "x" * 5000)])
    nothing = writer.write(backend.topics.live, [])
    assert 1000 < first < 1200
    assert 5000 < second < 5200
    assert nothing == 0
    await writer.close()


async def test_one_writer_makes_many_transactions(backend: Backend) -> None:
    broker, topic = await backend.broker(), backend.topics.results
    writer = await broker.fence(0)
    for number in range(5):
        await writer.begin()
        writer.write(topic, [record(f"k{number}")])
        await writer.commit(number, f"m{number}")
    await writer.close()
    await settle(broker, 0)
    assert keys(await read_all(broker, topic, 0)) == [f"k{number}" for number in range(5)]
    assert await broker.committed(0) == Committed(4, "m4")


async def test_a_transaction_may_carry_nothing_but_an_offset(backend: Backend) -> None:
    broker = await backend.broker()
    writer = await broker.fence(0)
    await writer.begin()
    await writer.commit(0, "start")
    await writer.close()
    await settle(broker, 0)
    assert await broker.committed(0) == Committed(0, "start")
    for topic in backend.topics.outputs:
        assert (await broker.bounds(topic, 0)).end == 0


async def test_what_was_written_and_not_committed_is_never_seen(backend: Backend) -> None:
    broker, topic = await backend.broker(), backend.topics.results
    writer = await broker.fence(0)
    await writer.begin()
    writer.write(topic, [record("lost")])
    await writer.close()
    await commit(broker, 0, topic, record("kept"))
    assert keys(await read_all(broker, topic, 0)) == ["kept"]


async def test_aborted_records_are_never_seen(backend: Backend) -> None:
    broker, topic = await backend.broker(), backend.topics.results
    await commit(broker, 0, topic, record("first"))
    await backend.crash_while_committing(0, topic, [record("aborted")])
    await commit(broker, 0, topic, record("second"))
    assert keys(await read_all(broker, topic, 0)) == ["first", "second"]


async def test_a_second_fence_cuts_the_first_writer_off(backend: Backend) -> None:
    old_process, new_process, topic = (
        await backend.broker(),
        await backend.broker(),
        backend.topics.results,
    )
    old = await old_process.fence(0)
    await old.begin()
    old.write(topic, [record("old")])
    new = await new_process.fence(0)

    with pytest.raises(FootingLost):
        await old.commit(1, "old")

    await new.begin()
    new.write(topic, [record("new")])
    await new.commit(2, "new")
    await old.close()
    await new.close()
    await settle(new_process, 0)
    assert keys(await read_all(new_process, topic, 0)) == ["new"]
    assert await new_process.committed(0) == Committed(2, "new")


async def test_a_writer_cut_off_between_transactions_cannot_go_on(backend: Backend) -> None:
    broker, topic = await backend.broker(), backend.topics.results
    old = await broker.fence(0)
    await old.begin()
    await old.commit(0, "")
    new = await broker.fence(0)

    with pytest.raises(FootingLost):
        await _transact(old, topic, record("old"))

    assert await read_all(broker, topic, 0) == []
    await old.close()
    await new.begin()
    await new.commit(1, "the old one's close did no harm")
    await new.close()


async def _transact(writer: StreamWriter, topic: str, *records: OutputRecord) -> None:
    await writer.begin()
    writer.write(topic, records)
    await writer.commit(1, "")


async def test_fencing_one_stream_leaves_the_others_alone(backend: Backend) -> None:
    broker, topic = await backend.broker(), backend.topics.results
    mine = await broker.fence(0)
    await mine.begin()
    mine.write(topic, [record("mine")])
    other = await broker.fence(1)
    await mine.commit(1, "")
    await mine.close()
    await other.close()
    await settle(broker, 0)
    assert keys(await read_all(broker, topic, 0)) == ["mine"]


async def test_fence_ends_what_a_crashed_owner_left_open(backend: Backend) -> None:
    broker, topic = await backend.broker(), backend.topics.live
    await commit(broker, 0, topic, record("before"), offset=5)
    await backend.crash_while_committing(0, topic, [record("half"), record("done")])
    hanging = await broker.bounds(topic, 0)

    writer = await broker.fence(0)

    end = (await broker.bounds(topic, 0)).end
    offset = await broker.committed(0)
    assert end > hanging.end
    assert offset == Committed(5, "")
    assert keys(await read_all(broker, topic, 0)) == ["before"]
    # Both are final: nothing of the old owner's can come after.
    assert (await broker.bounds(topic, 0)).end == end
    assert await broker.committed(0) == offset
    await writer.close()


async def test_all_that_was_committed_is_there_once_the_next_owner_has_fenced(
    backend: Backend,
) -> None:
    broker, topic = await backend.broker(), backend.topics.results
    for number in range(10):
        writer = await broker.fence(0)
        assert len(await read_all(broker, topic, 0)) == number
        expected = Committed(number - 1, f"at {number - 1}") if number else None
        assert await broker.committed(0) == expected
        await writer.begin()
        writer.write(topic, [record(f"k{number}")])
        await writer.commit(number, f"at {number}")
        await writer.close()


async def test_commit_gives_a_lower_bound_of_the_end_of_the_live_topic(backend: Backend) -> None:
    broker, topics = await backend.broker(), backend.topics
    writer = await broker.fence(0)
    lower_bounds = []
    for number, topic in enumerate([topics.live, topics.live, topics.results, topics.live]):
        await writer.begin()
        writer.write(topic, [record(f"{number}"), record(f"{number}")])
        lower_bounds.append(await writer.commit(number, ""))
    await writer.close()
    await settle(broker, 0)

    last = {one.key: one.offset for one in await read_all(broker, topics.live, 0)}
    first, second, unchanged, third = lower_bounds
    assert last[b"0"] < first <= last[b"1"] - 1
    assert last[b"1"] < second == unchanged <= last[b"3"] - 1
    assert last[b"3"] < third <= (await broker.bounds(topics.live, 0)).end


async def test_a_transaction_takes_more_than_one_batch_holds(backend: Backend) -> None:
    broker, topic = await backend.broker(), backend.topics.live
    size, count = 4_000, 400
    writer = await broker.fence(0)
    await writer.begin()
    for start in range(0, count, 100):
        writer.write(topic, [record(f"{n}", "x" * size) for n in range(start, start + 100)])
    lower_bound = await writer.commit(count, "")
    await writer.close()
    await settle(broker, 0)
    found = await read_all(broker, topic, 0)
    assert keys(found) == [f"{n}" for n in range(count)]
    assert {len(one.value or b"") for one in found} == {size}
    assert lower_bound > found[-1].offset


async def test_one_record_may_be_nearly_as_large_as_its_topic_takes(backend: Backend) -> None:
    broker, topics = await backend.broker(), backend.topics
    for topic, size in [(topics.results, 1_000_000), (topics.dead_letters, 2_000_000)]:
        small, large = record("small", "s"), record("large", "x" * size)
        await commit(broker, 0, topic, small, large, small)
        found = await read_all(broker, topic, 0)
        assert [len(one.value or b"") for one in found] == [1, size, 1]


async def test_a_record_that_is_too_large_takes_the_footing(backend: Backend) -> None:
    broker, topic = await backend.broker(), backend.topics.live
    writer = await broker.fence(0)
    await writer.begin()
    writer.write(topic, [record("good"), (b"large", b"x" * 1_200_000, [])])
    with pytest.raises(FootingLost):
        await writer.commit(1, "")
    await writer.close()
    await settle(broker, 0)
    assert await read_all(broker, topic, 0) == []
    assert await broker.committed(0) is None


async def test_settling_writes_nothing_and_leaves_the_writer_ready(backend: Backend) -> None:
    broker, topics = await backend.broker(), backend.topics
    await commit(broker, 0, topics.live, record("one"))
    writer = await broker.fence(0)
    await writer.settle()
    assert keys(await read_all(broker, topics.live, 0)) == ["one"]
    for topic in topics.queues:
        assert await read_all(broker, topic, 1) == []
    await writer.begin()
    writer.write(topics.live, [record("two")])
    await writer.commit(2, "note")
    await writer.close()
    await settle(broker, 0)
    assert keys(await read_all(broker, topics.live, 0)) == ["one", "two"]
    assert await broker.committed(0) == Committed(2, "note")


async def test_settling_leaves_no_trace_where_nothing_was_written(backend: Backend) -> None:
    broker, topics = await backend.broker(), backend.topics
    await backend.crash_while_committing(0, topics.results, [record("never")])
    writer = await broker.fence(0)
    await writer.settle()
    await writer.close()
    assert await broker.end(topics.live, 0) == 0
    assert await broker.committed(0) is None
