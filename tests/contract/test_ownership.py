"""What tasks rely on when a transactional id gets another owner, or is looked at by others."""

import pytest

from processor.errors import SessionLost
from processor.task.ports import Partition
from tests.contract.backends import Backend
from tests.contract.reading import keys, read_all, read_now, record
from tests.contract.writing import commit, crash_while_committing, held, owned
from tests.waiting import eventually


async def test_acquiring_ends_what_a_crashed_owner_left_open(backend: Backend) -> None:
    crashed, process = await backend.process(), await backend.process()
    where = Partition(backend.topics.live, 0)
    await commit(await owned(crashed), {where: [record("before")]})
    await crash_while_committing(crashed, {where: [record("half"), record("done")]})
    hanging = (await process.broker.offsets([where]))[where]
    assert hanging.stable_end == hanging.end - 2

    transactions = await owned(process)

    after = (await process.broker.offsets([where]))[where]
    assert after.stable_end == after.end > hanging.end
    assert keys(await read_now(process.broker, where)) == ["before"]
    await commit(transactions, {where: [record("after")]})
    assert keys(await read_all(process.broker, where)) == ["before", "after"]


async def test_all_that_was_committed_is_there_once_the_id_is_acquired_again(
    backend: Backend,
) -> None:
    process, where = await backend.process(), Partition(backend.topics.results, 0)
    for number in range(10):
        transactions = await owned(process)
        assert len(await read_now(process.broker, where)) == number
        await commit(transactions, {where: [record(f"k{number}")]})
        await transactions.close()


async def test_a_new_owner_cuts_the_old_one_off_in_the_middle_of_a_transaction(
    backend: Backend,
) -> None:
    old_process, new_process = await backend.process(), await backend.process()
    where = Partition(backend.topics.results, 0)
    old = await owned(old_process)
    async with held(old_process, old, {where: [record("old")]}) as held_commit:
        new = await owned(new_process)
        with pytest.raises(SessionLost):
            await held_commit.go_on()
    with pytest.raises(SessionLost):
        await commit(old, {where: [record("old")]})
    await commit(new, {where: [record("new")]})
    assert keys(await read_all(new_process.broker, where)) == ["new"]


async def test_a_new_owner_cuts_the_old_one_off_between_transactions(backend: Backend) -> None:
    old_process, new_process = await backend.process(), await backend.process()
    where = Partition(backend.topics.results, 0)
    old = await owned(old_process)
    await commit(old, {where: [record("before")]})
    new = await owned(new_process)
    with pytest.raises(SessionLost):
        await commit(old, {where: [record("old")]})
    await old.close()
    await commit(new, {where: [record("the old one's close did no harm")]})
    found = keys(await read_all(new_process.broker, where))
    assert found == ["before", "the old one's close did no harm"]


async def test_an_owner_that_was_cut_off_may_acquire_the_id_again(backend: Backend) -> None:
    old_process, new_process = await backend.process(), await backend.process()
    where = Partition(backend.topics.results, 0)
    old = await owned(old_process)
    new = await owned(new_process)
    with pytest.raises(SessionLost):
        await commit(old, {where: [record("lost")]})
    await old.acquire()
    await commit(old, {where: [record("old again")]})
    with pytest.raises(SessionLost):
        await commit(new, {where: [record("lost")]})
    assert keys(await read_all(new_process.broker, where)) == ["old again"]


async def test_an_owner_may_acquire_its_own_id_again(backend: Backend) -> None:
    process, where = await backend.process(), Partition(backend.topics.results, 0)
    transactions = await owned(process)
    await commit(transactions, {where: [record("one")]})
    await transactions.acquire()
    await commit(transactions, {where: [record("two")]})
    assert keys(await read_all(process.broker, where)) == ["one", "two"]


async def test_acquiring_one_id_leaves_the_others_alone(backend: Backend) -> None:
    process, other_process = await backend.process(), await backend.process()
    where = Partition(backend.topics.results, 0)
    transactions = await owned(process, "mine")
    async with held(process, transactions, {where: [record("mine")]}) as held_commit:
        await owned(other_process, "other")
        await held_commit.go_on()
    assert keys(await read_all(process.broker, where)) == ["mine"]


async def test_a_lock_belongs_to_the_last_who_acquired_it(backend: Backend) -> None:
    first_process, second_process = await backend.process(), await backend.process()
    where = Partition(backend.topics.progress, 0)
    first = await first_process.broker.lock("origin:0")
    second = await second_process.broker.lock("origin:0")
    await first.acquire()
    await second.acquire()
    with pytest.raises(SessionLost):
        await commit(first, {where: [record("first")]})
    await commit(second, {where: [record("second")]})
    await first.close()
    await second.close()
    assert keys(await read_all(second_process.broker, where)) == ["second"]


async def test_locks_of_different_names_are_different_locks(backend: Backend) -> None:
    process, where = await backend.process(), Partition(backend.topics.progress, 0)
    locks = [await process.broker.lock(name) for name in ("origin:0", "origin:1")]
    for lock in locks:
        await lock.acquire()
    for lock in locks:
        await commit(lock, {where: [record("kept")]})
        await lock.close()
    assert keys(await read_all(process.broker, where)) == ["kept", "kept"]


# Transactions of others


async def test_an_id_that_was_never_used_has_no_transaction(backend: Backend) -> None:
    process = await backend.process()
    name = process.transactions().transactional_id
    seen = await process.broker.transaction_of(name)
    assert (seen.transactional_id, seen.is_open, seen.is_ending) == (name, False, False)
    assert seen.partitions == frozenset()


async def test_an_open_transaction_is_seen_with_its_partitions(backend: Backend) -> None:
    process, other = await backend.process(), await backend.process()
    written = {Partition(backend.topics.live, 0), Partition(backend.topics.claims, 1)}
    transactions = await owned(process)
    name = transactions.transactional_id
    writes = {where: [record("one")] for where in written}
    async with held(process, transactions, writes) as held_commit:
        seen = await other.broker.transaction_of(name)
        assert (seen.transactional_id, seen.is_open, seen.is_ending) == (name, True, False)
        assert seen.partitions == written
        await held_commit.go_on()

    async def has_ended() -> bool:
        seen = await other.broker.transaction_of(name)
        assert not seen.is_open
        return not seen.is_ending

    await eventually(has_ended, what="the markers")


async def test_an_open_transaction_can_be_ended_by_others_and_its_owner_is_cut_off(
    backend: Backend,
) -> None:
    process, other = await backend.process(), await backend.process()
    where = Partition(backend.topics.live, 0)
    transactions = await owned(process)
    async with held(process, transactions, {where: [record("lost")]}) as held_commit:
        seen = await other.broker.transaction_of(transactions.transactional_id)
        await other.broker.abort_transaction(seen)
        assert await read_all(other.broker, where) == []
        with pytest.raises(SessionLost):
            await held_commit.go_on()
    await transactions.acquire()
    await commit(transactions, {where: [record("kept")]})
    assert keys(await read_all(other.broker, where)) == ["kept"]


async def test_a_transaction_of_a_crashed_owner_can_be_ended_twice(backend: Backend) -> None:
    crashed, process = await backend.process(), await backend.process()
    where = Partition(backend.topics.live, 0)
    await crash_while_committing(crashed, {where: [record("lost")]})
    seen = await process.broker.transaction_of(crashed.transactions().transactional_id)
    assert seen.is_open
    await process.broker.abort_transaction(seen)
    assert await read_all(process.broker, where) == []
    await process.broker.abort_transaction(seen)
    offsets = (await process.broker.offsets([where]))[where]
    assert offsets.stable_end == offsets.end


async def test_a_transaction_that_was_committed_meanwhile_stays_committed(
    backend: Backend,
) -> None:
    process, other = await backend.process(), await backend.process()
    where = Partition(backend.topics.live, 0)
    transactions = await owned(process)
    async with held(process, transactions, {where: [record("kept")]}) as held_commit:
        seen = await other.broker.transaction_of(transactions.transactional_id)
        await held_commit.go_on()
    await other.broker.abort_transaction(seen)
    await commit(transactions, {where: [record("and its owner goes on")]})
    assert keys(await read_all(other.broker, where)) == ["kept", "and its owner goes on"]


async def test_a_later_transaction_of_the_same_owner_is_left_alone_or_ended_whole(
    backend: Backend,
) -> None:
    process, other = await backend.process(), await backend.process()
    where, another = Partition(backend.topics.live, 0), Partition(backend.topics.live, 1)
    transactions = await owned(process)
    async with held(process, transactions, {where: [record("one")]}) as held_commit:
        seen = await other.broker.transaction_of(transactions.transactional_id)
        await held_commit.go_on()
    writes = {where: [record("two")], another: [record("two")]}
    async with held(process, transactions, writes) as held_commit:
        await other.broker.abort_transaction(seen)
        if backend.raises_epochs:
            assert (await other.broker.transaction_of(transactions.transactional_id)).is_open
            await held_commit.go_on()
        else:  # in version 1 all transactions of an owner have the same epoch
            with pytest.raises(SessionLost):
                await held_commit.go_on()
    expected = ["two"] if backend.raises_epochs else []
    assert keys(await read_all(other.broker, where)) == ["one", *expected]
    assert keys(await read_all(other.broker, another)) == expected


async def test_a_transaction_of_a_later_owner_is_left_alone(backend: Backend) -> None:
    crashed, process, other = [await backend.process() for _ in range(3)]
    where = Partition(backend.topics.live, 0)
    await crash_while_committing(crashed, {where: [record("lost")]})
    transactions = process.transactions()
    seen = await other.broker.transaction_of(transactions.transactional_id)
    await transactions.acquire()
    async with held(process, transactions, {where: [record("kept")]}) as held_commit:
        await other.broker.abort_transaction(seen)
        assert (await other.broker.transaction_of(transactions.transactional_id)).is_open
        await held_commit.go_on()
    assert keys(await read_all(other.broker, where)) == ["kept"]


async def test_who_holds_a_partition_is_named(backend: Backend) -> None:
    first, second, process = [await backend.process() for _ in range(3)]
    live = [Partition(backend.topics.live, stream) for stream in (0, 1)]
    await commit(await owned(process, "ended"), {live[0]: [record("x")], live[1]: [record("x")]})
    await read_all(process.broker, live[0])
    await read_all(process.broker, live[1])
    assert list(await process.broker.holders_of(live)) == []

    await crash_while_committing(first, {live[0]: [record("x")]}, "first")
    await crash_while_committing(second, {live[0]: [record("x")], live[1]: [record("x")]}, "second")
    names = [process.transactions(name).transactional_id for name in ("first", "second")]
    assert sorted(await process.broker.holders_of(live)) == sorted(names)
    assert list(await process.broker.holders_of(live[1:])) == names[1:]
    assert list(await process.broker.holders_of([Partition(backend.topics.claims, 0)])) == []


async def test_settling_changes_nothing_where_nothing_hangs_and_cuts_the_owner_off(
    backend: Backend,
) -> None:
    process, other = await backend.process(), await backend.process()
    where, untouched = Partition(backend.topics.live, 0), Partition(backend.topics.live, 1)
    transactions = await owned(process)
    await commit(transactions, {where: [record("kept")]})
    await read_all(process.broker, where)
    before = await other.broker.offsets([where, untouched])

    await other.broker.settle_transaction(transactions.transactional_id)

    assert await other.broker.offsets([where, untouched]) == before
    with pytest.raises(SessionLost):
        await commit(transactions, {where: [record("lost")]})
    assert keys(await read_all(other.broker, where)) == ["kept"]


async def test_settling_ends_a_transaction_that_is_open(backend: Backend) -> None:
    crashed, process = await backend.process(), await backend.process()
    where = Partition(backend.topics.live, 0)
    await crash_while_committing(crashed, {where: [record("lost")]})
    name = process.transactions().transactional_id
    await process.broker.settle_transaction(name)
    offsets = (await process.broker.offsets([where]))[where]
    assert offsets.stable_end == offsets.end
    assert await read_now(process.broker, where) == []
