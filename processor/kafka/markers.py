"""Making sure that transactions have their markers wherever they wrote.

Kafka 4.3.1 takes a partition that has no leader at the moment for a deleted one, and completes a
transaction without its marker there (KAFKA-20734). Its records hang: nobody can read past them, and
the next marker of the same producer in that partition decides about them, whatever it is for.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import CloseReason
from aiokafka.errors import ConcurrentTransactions, KafkaError, LeaderNotAvailableError

from processor.kafka.fencing import Ending
from processor.kafka.leaders import OFFSETS_TOPIC, Leaders
from processor.kafka.offsets_partition import offsets_partition
from processor.kafka.opening import open_transaction
from processor.kafka.passing import require_passing, until_passed
from processor.kafka.transaction_state import (
    TransactionState,
    describe_transaction,
    find_transaction_coordinator,
)

_log = logging.getLogger(__name__)

_ENDING: Final = "Prepare"
# A restarted broker's partitions have leaders again some moments after it answers.
_LEADERS_WITHIN_S: Final = 10
# Markers are written in milliseconds.
_AGAIN_S: Final = 0.01
_MARKERS_WITHIN_S: Final = 0.5
_BROKEN: Final = (CloseReason.CONNECTION_BROKEN, CloseReason.CONNECTION_TIMEOUT)


class Markers:
    """The markers of one producer.

    Every method is for the time between two transactions.
    """

    def __init__(
        self,
        producer: AIOKafkaProducer,
        admin: AIOKafkaAdminClient,
        open_offsets: AIOKafkaConsumer,
        leaders: Leaders,
        *,
        transactional_id: str,
        group_id: str | None,
        partitions: Callable[[AIOKafkaProducer], Awaitable[Sequence[TopicPartition]]],
        ending: Ending | None,
        retry_backoff_ms: int,
    ) -> None:
        """Begin to notice lost connections: comes before the producer's start.

        Args:
            producer: whose markers.
            admin: whom to ask through.
            open_offsets: whom to ask for the ends of what is written, committed or not.
            leaders: of all that it may write to.
            transactional_id: the producer's.
            group_id: the group whose offsets it commits.
            partitions: gives all that it, or an owner of the id before it, may have written to.
            ending: how the last transaction of the owner before it ended, if there was one.
            retry_backoff_ms: how long to wait before asking again.
        """
        self._producer = producer
        self._admin = admin
        self._open_offsets = open_offsets
        self._leaders = leaders
        self._transactional_id = transactional_id
        self._group_id = group_id
        self._partitions = partitions
        self._ending = ending
        self._retry_backoff_s = retry_backoff_ms / 1000
        self._doubts = 0
        self._sure_at = (0, leaders.moves)
        self._sure: Mapping[TopicPartition, int] = {}
        self._doubt_after_lost_connections()

    def _doubt_after_lost_connections(self) -> None:
        client: Any = self._producer.client
        inform = client._on_connection_closed

        def on_closed(connection: Any, reason: CloseReason | None) -> None:
            self._doubts += reason in _BROKEN
            inform(connection, reason)

        client._on_connection_closed = on_closed

    @property
    def in_doubt(self) -> bool:
        """Whether a partition may have been without a leader since we were sure."""
        return (self._doubts, self._leaders.moves) != self._sure_at

    async def settle(self) -> None:
        """End what the owner before may have left hanging, as its last transaction ended.

        Raises:
            KafkaError: it did not come to that everywhere.
        """
        await self._settle(self._ending)

    async def _settle(self, ending: Ending | None) -> None:
        """End whatever hangs, wherever something was written, by an empty transaction.

        Where nothing ever was there stays nothing, not even a marker: so the first start of a
        stream can be told from any other.
        """
        at = self._doubts, self._leaders.moves
        partitions = await self._partitions(self._producer)
        before = await self._epochs(partitions)
        if ending is not None:
            ends = await self._open_offsets.end_offsets([*partitions])
            await self._end_in([where for where in partitions if ends[where] > 0], ending)
            if await self._epochs(partitions) != before:
                raise LeaderNotAvailableError("a partition was without a leader meanwhile")
        self._sure, self._sure_at = before, at

    async def begin(self, partitions: Sequence[TopicPartition]) -> None:
        """Begin a transaction, once nothing can hang of those before, which were committed.

        If this owner came to an end in the middle of it, what hangs would be aborted with it.

        Args:
            partitions: those that the transaction writes to.

        Raises:
            KafkaError: it cannot be begun.
        """
        now = asyncio.get_running_loop().time
        deadline = now() + _MARKERS_WITHIN_S
        while True:
            await self._make_sure()
            try:
                await open_transaction(
                    self._producer, partitions, None if partitions else self._group_id
                )
                return
            except KafkaError as error:
                # What holds up the markers for so long may be a broker that is about to go.
                if not isinstance(error, ConcurrentTransactions) or now() > deadline:
                    self._doubts += 1
                require_passing(error)
            await asyncio.sleep(_AGAIN_S)

    async def _make_sure(self) -> None:
        """Settle what may hang, if there is a doubt."""
        if not self.in_doubt:
            return
        at = self._doubts, self._leaders.moves
        if await self._epochs(await self._partitions(self._producer)) == self._sure:
            self._sure_at = at
            return
        _log.info("%s: leaders have moved; ending what may hang", self._transactional_id)
        await self._settle(Ending.COMMIT)

    async def _epochs(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """The leader epochs as the coordinator sees them, after the last transaction is complete.

        Raises:
            LeaderNotAvailableError: one is without a leader for long.
        """
        now = asyncio.get_running_loop().time
        deadline = now() + _LEADERS_WITHIN_S
        while True:
            found = await self._leaders.look(await self._completed())
            wanted = (*partitions, *self._offsets_partition(found))
            epochs = {where: epoch for where in wanted if (epoch := found.get(where)) is not None}
            if len(epochs) == len(wanted):
                return epochs
            if now() > deadline:
                topic, partition = next(where for where in wanted if where not in epochs)
                raise LeaderNotAvailableError(f"{topic}/{partition} has no leader")
            await asyncio.sleep(self._retry_backoff_s)

    async def _completed(self) -> int:
        """Wait until the coordinator has no marker left to write; which node it is."""
        while True:
            coordinator, state = await until_passed(
                f"asking for the state of {self._transactional_id}",
                self._describe,
                self._retry_backoff_s,
            )
            if state is None or not state.name.startswith(_ENDING):
                return coordinator
            await asyncio.sleep(self._retry_backoff_s)

    async def _describe(self) -> tuple[int, TransactionState | None]:
        coordinator = await find_transaction_coordinator(self._admin, self._transactional_id)
        return coordinator, await describe_transaction(
            self._admin, coordinator, self._transactional_id
        )

    def _offsets_partition(
        self, found: Mapping[TopicPartition, int | None]
    ) -> list[TopicPartition]:
        """The group's, if we may see that topic."""
        count = sum(where.topic == OFFSETS_TOPIC for where in found)
        if self._group_id is None or not count:
            return []
        return [TopicPartition(OFFSETS_TOPIC, offsets_partition(self._group_id, count))]

    async def _end_in(self, partitions: Sequence[TopicPartition], ending: Ending) -> None:
        await until_passed(
            f"settling {self._transactional_id}",
            partial(open_transaction, self._producer, partitions, self._group_id),
            _AGAIN_S,
        )
        if ending is Ending.COMMIT:
            await self._producer.commit_transaction()
        else:
            await self._producer.abort_transaction()
