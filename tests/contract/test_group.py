"""What tasks rely on in a consumer group: who owns which stream, and since when."""

from processor.task.ports import Membership
from tests.contract.backends import NUM_STREAMS, Backend
from tests.contract.members import ALL, Listener, lone_member, running
from tests.waiting import eventually


async def test_a_lone_member_gets_all_streams_and_is_a_member(backend: Backend) -> None:
    process, other = await backend.process(), await backend.process()
    async with lone_member(process.group) as member:
        assert member.membership.member_id
        assert member.membership.generation > 0
        assert await process.group.is_member(member.membership)
        assert await other.group.is_member(member.membership)
    assert not await process.group.is_member(member.membership)


async def test_nobody_is_a_member_of_a_group_that_there_is_not(backend: Backend) -> None:
    process = await backend.process()
    assert not await process.group.is_member(Membership("nobody", 1))


async def test_a_stranger_and_another_generation_are_no_members(backend: Backend) -> None:
    process = await backend.process()
    async with lone_member(process.group) as member:
        member_id, generation = member.membership
        assert not await process.group.is_member(Membership("nobody", generation))
        assert not await process.group.is_member(Membership(member_id, generation - 1))
        assert not await process.group.is_member(Membership(member_id, generation + 1))


async def test_two_members_share_and_the_first_lets_go_before_anyone_gets(
    backend: Backend,
) -> None:
    first, second = await backend.process(), await backend.process()
    other = Listener()
    async with lone_member(first.group) as one:
        older = one.membership
        one.heard.clear()
        one.may_let_go.clear()
        async with running(second.group, other):
            await eventually(lambda: one.heard == ["revoking"], what="the revocation")
            assert "assigned" not in other.heard
            one.may_let_go.set()
            await eventually(lambda: len(one.streams) == len(other.streams) == 1, what="shares")
            assert one.heard == ["revoking", "revoked", "assigned"]
            assert one.streams | other.streams == ALL
            assert one.membership.generation == other.membership.generation > older.generation
            assert one.membership.member_id != other.membership.member_id
            for membership in (one.membership, other.membership):
                assert await first.group.is_member(membership)
                assert await second.group.is_member(membership)
            assert not await first.group.is_member(older)


async def test_a_member_is_one_until_the_rebalance_has_ended(backend: Backend) -> None:
    first, second = await backend.process(), await backend.process()
    async with lone_member(first.group) as member:
        older = member.membership
        member.may_let_go.clear()
        async with running(second.group, Listener()):
            await eventually(lambda: member.heard[-1] == "revoking", what="the revocation")
            assert await first.group.is_member(older)
            assert await second.group.is_member(older)
            member.may_let_go.set()
            await eventually(lambda: member.heard[-1] == "assigned", what="the new share")
            assert not await second.group.is_member(older)


async def test_a_member_that_leaves_gives_its_streams_up(backend: Backend) -> None:
    first, second = await backend.process(), await backend.process()
    leaves = Listener()
    async with lone_member(first.group) as stays:
        async with running(second.group, leaves):
            await eventually(
                lambda: len(stays.streams) == len(leaves.streams) == 1, what="the shares"
            )
        await eventually(lambda: stays.streams == ALL, what="the streams of who left")
        assert not await second.group.is_member(leaves.membership)
        assert await first.group.is_member(stays.membership)


async def test_partitions_that_are_added_are_assigned_too(backend: Backend) -> None:
    process = await backend.process()
    async with lone_member(process.group) as member:
        await backend.grow(NUM_STREAMS + 2)
        grown = frozenset(range(NUM_STREAMS + 2))
        await eventually(lambda: member.streams == grown, what="the new partitions")
        assert await process.group.is_member(member.membership)
