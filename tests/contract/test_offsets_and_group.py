"""What the runtime relies on in a consumer group: its offsets, its members."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from processor.runtime.ports import Committed, Group
from tests.contract.backends import NUM_STREAMS, Backend
from tests.contract.reading import settle
from tests.waiting import eventually

ALL = frozenset(range(NUM_STREAMS))


class Listener:
    """A `GroupListener` that writes down what it hears; it may take its time to let go."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.streams: frozenset[int] = frozenset()
        self.may_let_go = asyncio.Event()
        self.may_let_go.set()

    async def on_revoked(self) -> None:
        self.heard.append("revoking")
        await self.may_let_go.wait()
        self.streams = frozenset()
        self.heard.append("revoked")

    def on_assigned(self, streams: frozenset[int]) -> None:
        self.heard.append("assigned")
        self.streams = streams


@asynccontextmanager
async def membership(group: Group, listener: Listener) -> AsyncIterator[None]:
    """Be a member for a while, then leave."""
    stop = asyncio.Event()
    running = asyncio.create_task(group.run(listener, stop.wait()))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(15):
            await running


async def test_a_new_group_has_no_committed_offset(backend: Backend) -> None:
    broker = await backend.broker()
    assert await broker.committed(0) is None


async def test_metadata_comes_back_exactly(backend: Backend) -> None:
    broker = await backend.broker()
    metadata = '{"note": "ä € \\n 🙂", "long": "' + "x" * 3_000 + '"}'
    writer = await broker.fence(0)
    await writer.begin()
    await writer.commit(41, metadata)
    await writer.close()
    await settle(broker, 0)
    assert await broker.committed(0) == Committed(41, metadata)
    assert await broker.committed(1) is None


async def test_offsets_are_committed_while_the_group_has_members(backend: Backend) -> None:
    broker, listener = await backend.broker(), Listener()
    async with membership(await backend.member(), listener):
        await eventually(lambda: listener.streams == ALL, what="the assignment")
        writer = await broker.fence(0)
        for offset in (3, 4):
            await writer.begin()
            await writer.commit(offset, f"at {offset}")
        await writer.close()
        await settle(broker, 0)
        assert await broker.committed(0) == Committed(4, "at 4")
    assert await broker.committed(0) == Committed(4, "at 4")


async def test_a_lone_member_gets_all_streams_and_owns_them(backend: Backend) -> None:
    group, listener = await backend.member(), Listener()
    assert not await group.owns(0)
    async with membership(group, listener):
        await eventually(lambda: listener.streams == ALL, what="the assignment")
        assert [await group.owns(stream) for stream in ALL] == [True] * NUM_STREAMS
        assert not await group.owns(NUM_STREAMS)
    assert not await group.owns(0)


async def test_two_members_share_and_the_first_lets_go_before_anyone_gets(
    backend: Backend,
) -> None:
    first, second = await backend.member(), await backend.member()
    one, other = Listener(), Listener()
    async with membership(first, one):
        await eventually(lambda: one.streams == ALL, what="the first assignment")
        one.heard.clear()
        one.may_let_go.clear()
        async with membership(second, other):
            await eventually(lambda: one.heard == ["revoking"], what="the revocation")
            assert not await second.owns(0)
            assert "assigned" not in other.heard
            one.may_let_go.set()
            await eventually(lambda: len(one.streams) == len(other.streams) == 1, what="shares")
            assert one.heard == ["revoking", "revoked", "assigned"]
            assert one.streams | other.streams == ALL
            for stream in ALL:
                owners = (await first.owns(stream), await second.owns(stream))
                assert owners == (stream in one.streams, stream in other.streams)


async def test_a_member_that_leaves_gives_its_streams_up(backend: Backend) -> None:
    first, second = await backend.member(), await backend.member()
    stays, leaves = Listener(), Listener()
    async with membership(first, stays):
        async with membership(second, leaves):
            await eventually(
                lambda: len(stays.streams) == len(leaves.streams) == 1, what="the shares"
            )
        await eventually(lambda: stays.streams == ALL, what="the streams of who left")
        assert not await second.owns(0)
        assert not await second.owns(1)
        assert await first.owns(0)
        assert await first.owns(1)


async def test_partitions_that_are_added_are_assigned_too(backend: Backend) -> None:
    group, listener = await backend.member(), Listener()
    async with membership(group, listener):
        await eventually(lambda: listener.streams == ALL, what="the assignment")
        await backend.grow(NUM_STREAMS + 2)
        grown = frozenset(range(NUM_STREAMS + 2))
        await eventually(lambda: listener.streams == grown, what="the new partitions")
        assert await group.owns(NUM_STREAMS)
