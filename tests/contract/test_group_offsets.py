"""What tasks rely on in the offsets of the group."""

import asyncio

import pytest

from processor.errors import RoundAborted
from processor.task.ports import Membership, Partition
from tests.contract.backends import NUM_STREAMS, Backend
from tests.contract.members import Listener, lone_member, running
from tests.contract.reading import group_offset, keys, read_all, record
from tests.contract.writing import commit, held, owned
from tests.waiting import eventually

# So long may something take that does not wait for a transaction.
_MOMENT_S = 0.3


async def test_a_new_group_has_no_offset(backend: Backend) -> None:
    process = await backend.process()
    assert await group_offset(process.broker, 0) is None


async def test_a_group_with_members_and_no_commits_has_no_offset(backend: Backend) -> None:
    process = await backend.process()
    async with lone_member(process.group):
        assert await group_offset(process.broker, 0) is None


async def test_a_round_commits_its_offsets_with_its_records(backend: Backend) -> None:
    process, topics = await backend.process(), backend.topics
    where = Partition(topics.live, 0)
    offsets = {Partition(topics.events, 0): 41, Partition(topics.claims, 0): 3}
    transactions = await owned(process)
    async with (
        lone_member(process.group) as member,
        held(
            process, transactions, {where: [record("one")]}, offsets, member.membership
        ) as held_commit,
    ):
        await held_commit.go_on()
    assert await group_offset(process.broker, 0) == 41
    assert await group_offset(process.broker, 1) is None
    assert keys(await read_all(process.broker, where)) == ["one"]


async def test_a_round_may_carry_nothing_but_offsets(backend: Backend) -> None:
    process, events = await backend.process(), Partition(backend.topics.events, 0)
    transactions = await owned(process)
    async with lone_member(process.group) as member:
        for offset in (0, 7):
            await commit(transactions, {}, {events: offset}, member.membership)
            assert await group_offset(process.broker, 0) == offset
    for topic in backend.topics.all:
        where = Partition(topic, 0)
        assert (await process.broker.offsets([where]))[where].end == 0


async def test_a_round_commits_the_offsets_of_many_streams(backend: Backend) -> None:
    process, topic = await backend.process(), backend.topics.events
    transactions = await owned(process)
    async with lone_member(process.group) as member:
        offsets = {Partition(topic, stream): 10 + stream for stream in range(NUM_STREAMS)}
        await commit(transactions, {}, offsets, member.membership)
    found = [await group_offset(process.broker, stream) for stream in range(NUM_STREAMS)]
    assert found == [10, 11]


async def test_offsets_stay_when_the_group_is_empty(backend: Backend) -> None:
    process, other = await backend.process(), await backend.process()
    transactions = await owned(process)
    events = Partition(backend.topics.events, 0)
    async with lone_member(process.group) as member:
        await commit(transactions, {}, {events: 3}, member.membership)
    assert await group_offset(other.broker, 0) == 3


async def test_the_group_s_offset_waits_for_a_pending_one_that_is_committed(
    backend: Backend,
) -> None:
    process, other = await backend.process(), await backend.process()
    transactions, events = await owned(process), Partition(backend.topics.events, 0)
    async with (
        lone_member(process.group) as member,
        held(process, transactions, {}, {events: 5}, member.membership) as held_commit,
    ):
        asking = asyncio.create_task(group_offset(other.broker, 0))
        done, _ = await asyncio.wait([asking], timeout=_MOMENT_S)
        assert not done
        await held_commit.go_on()
        assert await asking == 5


async def test_the_group_s_offset_waits_for_a_pending_one_that_is_aborted(
    backend: Backend,
) -> None:
    process, other = await backend.process(), await backend.process()
    transactions, events = await owned(process), Partition(backend.topics.events, 0)
    async with lone_member(process.group) as member:
        await commit(transactions, {}, {events: 4}, member.membership)
        async with held(process, transactions, {}, {events: 5}, member.membership):
            asking = asyncio.create_task(group_offset(other.broker, 0))
            done, _ = await asyncio.wait([asking], timeout=_MOMENT_S)
            assert not done
            await owned(other)
            assert await asking == 4


async def test_the_offset_of_a_stream_does_not_wait_for_that_of_another(backend: Backend) -> None:
    process, other = await backend.process(), await backend.process()
    transactions, events = await owned(process), Partition(backend.topics.events, 0)
    async with (
        lone_member(process.group) as member,
        held(process, transactions, {}, {events: 5}, member.membership) as held_commit,
    ):
        asking = asyncio.create_task(group_offset(other.broker, 1))
        if backend.tells_offsets_apart:
            assert await asking is None
        await held_commit.go_on()
    assert await asking is None  # the embedded broker holds up all offsets of a group together


async def refused(
    backend: Backend, membership: Membership, keeper: Membership | None = None
) -> None:
    """Commit offsets as a member that the group does not have, and then without any."""
    process, where = await backend.process(), Partition(backend.topics.live, 0)
    events = Partition(backend.topics.events, 0)
    transactions = await owned(process)
    with pytest.raises(RoundAborted):
        await commit(transactions, {where: [record("lost")]}, {events: 9}, membership)
    assert await read_all(process.broker, where) == []
    assert await group_offset(process.broker, 0) is None
    offsets = {} if keeper is None else {events: 2}
    await commit(transactions, {where: [record("kept")]}, offsets, keeper)
    assert keys(await read_all(process.broker, where)) == ["kept"]
    assert await group_offset(process.broker, 0) == (None if keeper is None else 2)


async def test_offsets_of_an_older_generation_abort_the_round_and_the_next_one_is_committed(
    backend: Backend,
) -> None:
    process, other = await backend.process(), await backend.process()
    async with lone_member(process.group) as member:
        older = member.membership
        listener = Listener()
        async with running(other.group, listener):
            await eventually(
                lambda: len(member.streams) == len(listener.streams) == 1, what="shares"
            )
            assert member.membership.member_id == older.member_id
            await refused(backend, older, member.membership)


async def test_offsets_of_a_generation_to_come_abort_the_round(backend: Backend) -> None:
    process = await backend.process()
    async with lone_member(process.group) as member:
        current = member.membership
        await refused(backend, current._replace(generation=current.generation + 1), current)


async def test_offsets_of_an_unknown_member_abort_the_round_and_the_next_one_is_committed(
    backend: Backend,
) -> None:
    process = await backend.process()
    async with lone_member(process.group) as member:
        current = member.membership
        await refused(backend, current._replace(member_id="nobody"), current)


async def test_offsets_of_a_member_that_has_left_abort_the_round(backend: Backend) -> None:
    process = await backend.process()
    async with lone_member(process.group) as member:
        gone = member.membership
    await refused(backend, gone)


async def test_offsets_are_taken_while_the_group_rebalances(backend: Backend) -> None:
    process, other = await backend.process(), await backend.process()
    transactions, events = await owned(process), Partition(backend.topics.events, 0)
    async with lone_member(process.group) as member:
        member.may_let_go.clear()
        async with running(other.group, Listener()):
            await eventually(lambda: member.heard[-1] == "revoking", what="the revocation")
            await commit(transactions, {}, {events: 6}, member.membership)
            member.may_let_go.set()
            assert await group_offset(process.broker, 0) == 6
