"""Members of the group, for a while."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from processor.task.ports import Group, Membership
from tests.contract.backends import NUM_STREAMS
from tests.waiting import eventually

ALL = frozenset(range(NUM_STREAMS))


class Listener:
    """A `GroupListener` that writes down what it hears; it may take its time to let go."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.streams: frozenset[int] = frozenset()
        self.membership = Membership("", -1)
        self.may_let_go = asyncio.Event()
        self.may_let_go.set()

    async def on_revoked(self) -> None:
        self.heard.append("revoking")
        await self.may_let_go.wait()
        self.streams = frozenset()
        self.heard.append("revoked")

    def on_assigned(self, streams: frozenset[int], membership: Membership) -> None:
        self.heard.append("assigned")
        self.streams = streams
        self.membership = membership


@asynccontextmanager
async def running(group: Group, listener: Listener) -> AsyncIterator[None]:
    """Be a member for a while, then leave."""
    stop = asyncio.Event()
    run = asyncio.create_task(group.run(listener, stop.wait()))
    try:
        yield
    finally:
        listener.may_let_go.set()
        stop.set()
        async with asyncio.timeout(15):
            await run


@asynccontextmanager
async def lone_member(group: Group) -> AsyncIterator[Listener]:
    """The only member for a while, with all streams."""
    listener = Listener()
    async with running(group, listener):
        await eventually(lambda: listener.streams == ALL, what="the assignment")
        yield listener
