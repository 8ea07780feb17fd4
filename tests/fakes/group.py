"""A consumer group that a test can move about."""

import asyncio
import itertools
from collections.abc import Awaitable, Mapping

from processor.task.ports import GroupListener, Membership

_NUMBERS = itertools.count(1)

Shares = Mapping["FakeMember", frozenset[int]]


class FakeGroup:
    """The group's coordinator: eager rebalances, everything is revoked first.

    It spreads the streams over the members whenever one joins or leaves; ``by_hand``, only
    `rebalance` moves anything.
    """

    def __init__(self, num_streams: int, *, by_hand: bool = False) -> None:
        self.by_hand = by_hand
        self.members: list[FakeMember] = []
        # Whether the coordinator confirms, when it is asked, what it has assigned.
        self.confirms = True
        self._num_streams = num_streams
        self._shares: dict[FakeMember, frozenset[int]] = {}
        self._generation = 0
        self._turn = asyncio.Lock()

    def member(self) -> "FakeMember":
        """Somebody who may join."""
        return FakeMember(self)

    def knows(self, membership: Membership | None) -> bool:
        """Whether the coordinator takes offsets from a member; also while it rebalances."""
        if not self.confirms or membership is None or membership.generation != self._generation:
            return False
        return any(one.member_id == membership.member_id for one in self.members)

    async def rebalance(self, shares: Shares | None = None) -> None:
        """Revoke everything from everyone, wait for all of them, assign anew."""
        async with self._turn:
            members = list(self.members)
            await asyncio.gather(*(one.told().on_revoked() for one in members))
            self._shares = dict(self._spread(members) if shares is None else shares)
            self._generation += 1
            for one in members:
                if one in self.members:
                    membership = Membership(one.member_id, self._generation)
                    one.told().on_assigned(self._shares.get(one, frozenset()), membership)

    async def grow(self, num_streams: int) -> None:
        """What happens when partitions are added: a rebalance that spreads them too."""
        self._num_streams = num_streams
        await self.rebalance()

    def expel(self, member: "FakeMember") -> None:
        """What happens to a process that is asleep: it is out, and does not know."""
        self.members.remove(member)
        self._shares.pop(member, None)

    def _spread(self, members: list["FakeMember"]) -> Shares:
        return {
            one: frozenset(range(place, self._num_streams, len(members)))
            for place, one in enumerate(members)
        }


class FakeMember:
    """A `Group`, as one process sees it."""

    def __init__(self, group: FakeGroup) -> None:
        self.joined = asyncio.Event()
        self.asked = 0
        self.member_id = f"member-{next(_NUMBERS)}"
        self._group = group
        self._listener: GroupListener | None = None

    def listen(self, listener: GroupListener) -> None:
        """Say whom to tell, as `run` does."""
        self._listener = listener

    def told(self) -> GroupListener:
        """Whom to tell."""
        assert self._listener is not None, "not a member"
        return self._listener

    async def run(self, listener: GroupListener, stop: Awaitable[object]) -> None:
        """Part of `Group`."""
        self.listen(listener)
        self._group.members.append(self)
        self.joined.set()
        try:
            if not self._group.by_hand:
                await self._group.rebalance()
            await stop
        finally:
            if self in self._group.members:
                self._group.expel(self)
        if not self._group.by_hand:
            await self._group.rebalance()

    async def is_member(self, membership: Membership) -> bool:
        """Part of `Group`."""
        self.asked += 1
        return self._group.knows(membership)
