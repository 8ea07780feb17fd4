"""Ending what hangs in the partitions of the streams that this process has."""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from processor.errors import SessionLost, TaskLost
from processor.reader.ports import Clock
from processor.task.committer import Committer
from processor.task.ports import Broker, Membership, Offsets, Partition
from processor.topics import Topics

_log = logging.getLogger(__name__)

_INTERVAL_MS = 2_000


class HangingWatch:
    """Looks again and again whether readers of committed records get on.

    A transaction hangs in a partition that was without a leader when the transaction ended
    (KAFKA-20734): readers cannot pass it. Its owner ends it with its next round. But the owner may
    be gone, or have nothing more to write.
    """

    def __init__(
        self,
        broker: Broker,
        is_member: Callable[[Membership], Awaitable[bool]],
        committer: Committer,
        topics: Topics,
        clock: Clock,
    ) -> None:
        self._broker = broker
        self._is_member = is_member
        self._committer = committer
        self._topics = (*topics.outputs, *topics.queues)
        self._clock = clock
        self._held: Mapping[Partition, int] = {}

    async def run(self, streams: Callable[[], Collection[int]]) -> None:
        """Look until cancelled.

        Args:
            streams: those that this process has now.
        """
        while True:
            await self._clock.sleep(_INTERVAL_MS)
            try:
                await self._look(streams())
            except TaskLost as error:
                _log.debug("looking for what hangs: %s", error)

    async def _look(self, streams: Collection[int]) -> None:
        partitions = [Partition(topic, stream) for topic in self._topics for stream in streams]
        before, self._held = self._held, await self._held_now(partitions)
        stuck = [where for where, offset in self._held.items() if before.get(where) == offset]
        if not stuck:
            return
        ended = [one for one in await self._broker.holders_of(stuck) if await self._has_ended(one)]
        # The last of them may just have ended by itself.
        now = await self._held_now(stuck) if ended else {}
        if any(now.get(where) == self._held[where] for where in stuck):
            await self._settle(ended)

    async def _held_now(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """Where readers of committed records stand, in partitions that have more."""
        found: Mapping[Partition, Offsets] = {}
        if partitions:
            found = await self._broker.offsets(partitions)
        return {where: one.stable_end for where, one in found.items() if one.stable_end < one.end}

    async def _has_ended(self, transactional_id: str) -> bool:
        seen = await self._broker.transaction_of(transactional_id)
        return not (seen.is_open or seen.is_ending)

    async def _settle(self, holders: Sequence[str]) -> None:
        for holder in holders:
            membership = self._committer.membership
            if membership is None or not await self._is_member(membership):
                return
            if holder == self._committer.transactional_id:
                self._committer.request_settling()
                continue
            _log.info("ending what hangs of the last transaction of %s", holder)
            try:
                await self._broker.settle_transaction(holder)
            except SessionLost as error:
                _log.warning("ending what hangs of %s: %s", holder, error)
