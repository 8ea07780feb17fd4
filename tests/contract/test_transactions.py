"""What tasks rely on when they write."""

import pytest

from processor.errors import RoundAborted, SessionLost
from processor.task.ports import Offsets, Partition
from tests.contract.backends import Backend
from tests.contract.reading import keys, read_all, read_now, record
from tests.contract.writing import (
    Writes,
    commit,
    crash_while_committing,
    held,
    owned,
    round_of,
)


async def test_a_round_covers_partitions_of_all_topics(backend: Backend) -> None:
    process = await backend.process()
    everywhere = [Partition(topic, stream) for topic in backend.topics.all for stream in (0, 1)]
    writes = {where: [record(str(where))] for where in everywhere}

    async with held(process, await owned(process), writes) as held_commit:
        before = [await read_now(process.broker, where) for where in everywhere]
        await held_commit.go_on()

    assert before == [[] for _ in everywhere]
    after = [keys(await read_all(process.broker, where)) for where in everywhere]
    assert after == [[str(where)] for where in everywhere]


async def test_a_round_that_is_not_committed_is_seen_nowhere(backend: Backend) -> None:
    process = await backend.process()
    everywhere = [Partition(topic, stream) for topic in backend.topics.all for stream in (0, 1)]
    await crash_while_committing(process, {where: [record("lost")] for where in everywhere})
    await commit(await owned(process), {where: [record("kept")] for where in everywhere})
    found = [keys(await read_all(process.broker, where)) for where in everywhere]
    assert found == [["kept"] for _ in everywhere]


async def test_one_owner_commits_many_rounds(backend: Backend) -> None:
    process, where = await backend.process(), Partition(backend.topics.results, 0)
    transactions = await owned(process)
    for number in range(5):
        await commit(transactions, {where: [record(f"k{number}")]})
    found = keys(await read_all(process.broker, where))
    assert found == [f"k{number}" for number in range(5)]


async def test_a_round_goes_to_the_partitions_that_it_names(backend: Backend) -> None:
    process, topic = await backend.process(), backend.topics.results
    await commit(await owned(process), {Partition(topic, 1): [record("one")]})
    assert keys(await read_all(process.broker, Partition(topic, 1))) == ["one"]
    assert await read_all(process.broker, Partition(topic, 0)) == []


async def test_records_of_a_partition_stay_in_the_order_in_which_they_were_added(
    backend: Backend,
) -> None:
    process, topic = await backend.process(), backend.topics.routed
    transactions = await owned(process)
    filled = transactions.new_round()
    for number in range(6):
        filled.add(Partition(topic, number % 2), [record(f"k{number}")])
    await transactions.commit(filled, {}, None)
    assert keys(await read_all(process.broker, Partition(topic, 0))) == ["k0", "k2", "k4"]
    assert keys(await read_all(process.broker, Partition(topic, 1))) == ["k1", "k3", "k5"]


async def test_a_round_says_how_many_bytes_are_added_and_in_it(backend: Backend) -> None:
    process, topics = await backend.process(), backend.topics
    filled = process.transactions().new_round()
    first = filled.add(Partition(topics.results, 0), [record("a", "x" * 1000)])
    second = filled.add(Partition(topics.results, 0), [record("b", "x" * 5000)])
    other = filled.add(Partition(topics.live, 1), [record("c", "x" * 2000)])
    nothing = filled.add(Partition(topics.live, 0), [])
    assert 1000 < first < 1200
    assert 5000 < second < 5200
    assert 2000 < other < 2200
    assert nothing == 0
    assert filled.size_bytes == first + second + other


async def test_a_round_may_be_filled_before_the_id_is_acquired_and_while_one_is_committed(
    backend: Backend,
) -> None:
    process, where = await backend.process(), Partition(backend.topics.results, 0)
    transactions = process.transactions()
    first = round_of(transactions, {where: [record("first")]})
    await transactions.acquire()
    async with held(process, transactions, {where: [record("second")]}) as held_commit:
        third = round_of(transactions, {where: [record("third")]})
        await held_commit.go_on()
    await transactions.commit(first, {}, None)
    await transactions.commit(third, {}, None)
    assert keys(await read_all(process.broker, where)) == ["second", "first", "third"]


async def test_commit_gives_the_offset_after_the_last_record_of_each_partition(
    backend: Backend,
) -> None:
    process, topics = await backend.process(), backend.topics
    live, results = Partition(topics.live, 0), Partition(topics.results, 1)
    transactions = await owned(process)
    rounds: list[Writes] = [
        {live: [record("a"), record("b")], results: [record("c")]},
        {live: [record("d")]},
        {results: [record("e")] * 3, Partition(topics.claims, 0): []},
    ]
    ends = [await commit(transactions, writes) for writes in rounds]

    last: dict[Partition, list[int]] = {live: [], results: []}
    for where, found in last.items():
        for one in await read_all(process.broker, where):
            found.append(one.offset)
    assert ends == [
        {live: last[live][1] + 1, results: last[results][0] + 1},
        {live: last[live][2] + 1},
        {results: last[results][3] + 1},
    ]


async def test_a_round_takes_more_of_a_partition_than_a_batch_holds(backend: Backend) -> None:
    process, where = await backend.process(), Partition(backend.topics.live, 0)
    size, count = 4_000, 400
    transactions = await owned(process)
    filled = transactions.new_round()
    for start in range(0, count, 100):
        filled.add(where, [record(f"{n}", "x" * size) for n in range(start, start + 100)])
    ends = await transactions.commit(filled, {}, None)
    await commit(transactions, {where: [record("after")]})
    found = await read_all(process.broker, where)
    assert keys(found) == [*(f"{n}" for n in range(count)), "after"]
    assert {len(one.value or b"") for one in found[:-1]} == {size}
    assert ends == {where: found[-2].offset + 1}


async def test_one_record_may_be_nearly_as_large_as_its_topic_takes(backend: Backend) -> None:
    process, topics = await backend.process(), backend.topics
    transactions = await owned(process)
    for topic, size in [(topics.results, 1_000_000), (topics.dead_letters, 2_000_000)]:
        where = Partition(topic, 0)
        small, large = record("small", "s"), record("large", "x" * size)
        await commit(transactions, {where: [small, large, small]})
        found = await read_all(process.broker, where)
        assert [len(one.value or b"") for one in found] == [1, size, 1]


async def test_a_record_that_is_too_large_aborts_the_round_and_the_next_one_is_committed(
    backend: Backend,
) -> None:
    process, topics = await backend.process(), backend.topics
    where, other = Partition(topics.live, 0), Partition(topics.results, 1)
    transactions = await owned(process)
    # Leaders that are new may say that they are not, and then they may have written all the same.
    await commit(transactions, {where: [record("before")], other: [record("before")]})
    writes = {
        other: [record("lost")],
        where: [record("lost"), (b"large", b"x" * 1_200_000, [])],
    }
    with pytest.raises(RoundAborted):
        await commit(transactions, writes)
    assert keys(await read_all(process.broker, where)) == ["before"]
    assert keys(await read_all(process.broker, other)) == ["before"]
    await commit(transactions, {where: [record("kept")], other: [record("kept")]})
    assert keys(await read_all(process.broker, where)) == ["before", "kept"]
    assert keys(await read_all(process.broker, other)) == ["before", "kept"]


async def test_an_open_transaction_shows_in_the_end_and_not_in_the_stable_end(
    backend: Backend,
) -> None:
    process, where = await backend.process(), Partition(backend.topics.claims, 1)
    untouched = Partition(backend.topics.claims, 0)
    transactions = await owned(process)
    end = (await commit(transactions, {where: [record("done")]}))[where] + 1
    await read_all(process.broker, where)
    async with held(process, transactions, {where: [record("a"), record("b")]}) as held_commit:
        offsets = await process.broker.offsets([where, untouched])
        assert offsets == {where: Offsets(0, end, end + 2), untouched: Offsets(0, 0, 0)}
        await held_commit.go_on()
    await read_all(process.broker, where)
    assert (await process.broker.offsets([where]))[where] == Offsets(0, end + 3, end + 3)


async def test_an_id_that_was_never_acquired_commits_nothing(backend: Backend) -> None:
    process, where = await backend.process(), Partition(backend.topics.live, 0)
    with pytest.raises(SessionLost):
        await commit(process.transactions(), {where: [record("never")]})
    assert await read_all(process.broker, where) == []


async def test_transactions_that_were_closed_commit_nothing_until_acquired_again(
    backend: Backend,
) -> None:
    process, where = await backend.process(), Partition(backend.topics.live, 0)
    transactions = await owned(process)
    await transactions.close()
    await transactions.close()
    with pytest.raises(SessionLost):
        await commit(transactions, {where: [record("never")]})
    await transactions.acquire()
    await commit(transactions, {where: [record("kept")]})
    assert keys(await read_all(process.broker, where)) == ["kept"]


async def test_settling_changes_nothing_where_nothing_hangs(backend: Backend) -> None:
    process = await backend.process()
    where = Partition(backend.topics.live, 0)
    transactions = await owned(process)
    await transactions.settle()
    await commit(transactions, {where: [record("one")]})
    await transactions.settle()
    await commit(transactions, {where: [record("two")]})
    assert keys(await read_all(process.broker, where)) == ["one", "two"]


async def test_nothing_is_settled_without_the_id(backend: Backend) -> None:
    process = await backend.process()
    with pytest.raises(SessionLost):
        await process.transactions().settle()
