"""The transactions of a process: a session under one transactional id, acquired again when lost."""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from aiokafka.errors import KafkaError

from processor.errors import CutOff, KafkaUnavailable, RoundAborted, SessionLost
from processor.kafka.cluster import Cluster
from processor.kafka.errors import describe
from processor.kafka.record_batch import RecordBatch
from processor.kafka.transaction_requests import TransactionRequests
from processor.kafka.transactions.acquire import Acquired
from processor.kafka.transactions.error_codes import ErrorCode
from processor.kafka.transactions.limits import Limits
from processor.kafka.transactions.outcomes import Aborted, Cause, Committed, Dead
from processor.kafka.transactions.round import BaseOffsets, GroupOffsets, Offset, Settlement
from processor.kafka.transactions.round import Round as SessionRound
from processor.kafka.transactions.session import TransactionSession
from processor.kafka.transactions.values import Ending, TopicPartition, TransactionVersion
from processor.kafka.transactions_driver import TransactionDriver, acquire
from processor.task.ports import Membership, Partition, Round
from processor.wire.record import Record

_log = logging.getLogger(__name__)

# A batch goes up to the broker's message.max.bytes, about 1 MB by default.
_BATCH_BYTES: Final = 256 * 1024
_REFUSALS: Final = (
    ErrorCode.TOPIC_AUTHORIZATION_FAILED,
    ErrorCode.GROUP_AUTHORIZATION_FAILED,
    ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
)

_CUT_OFF: Final = (ErrorCode.INVALID_PRODUCER_EPOCH, ErrorCode.PRODUCER_FENCED)


class KafkaRound:
    """A `Round`: record batches, encoded while they are filled."""

    def __init__(self) -> None:
        self.size_bytes = 0
        self.batches: dict[Partition, list[RecordBatch]] = {}

    def add(self, where: Partition, records: Sequence[Record]) -> int:
        """Part of `Round`."""
        if not records:
            return 0
        batches = self.batches.get(where)
        if batches is None:
            batches = self.batches[where] = [RecordBatch(_BATCH_BYTES)]
        added_bytes = -batches[-1].size_bytes
        at = batches[-1].extend(records)
        while at < len(records):
            added_bytes += batches[-1].size_bytes
            batches.append(RecordBatch(_BATCH_BYTES))
            at = batches[-1].extend(records, at)
        added_bytes += batches[-1].size_bytes
        self.size_bytes += added_bytes
        return added_bytes


class KafkaTransactions:
    """The port `Transactions` on a transaction session.

    Kafka 4.3.1 takes a partition that has no leader at the moment for a deleted one, and completes
    a transaction without its marker there (KAFKA-20734). The producer's next marker there decides
    about its records, whatever that is for. So, when a leader may have been away since the last
    round began, the next one begins with settling: an empty transaction over the same partitions
    that ends as the last one did.
    """

    def __init__(
        self,
        cluster: Cluster,
        transactional_id: str,
        version: TransactionVersion,
        *,
        group_id: str | None,
        timeout_ms: int,
    ) -> None:
        """Own nothing yet.

        Args:
            cluster: the brokers.
            transactional_id: the id to own.
            version: the protocol that the cluster has agreed on.
            group_id: the group whose offsets are committed, if any are.
            timeout_ms: when the broker aborts a transaction by itself.
        """
        self.transactional_id = transactional_id
        self._cluster = cluster
        self._version = version
        self._group_id = group_id
        self._timeout_ms = timeout_ms
        self._requests = TransactionRequests(
            cluster.client, cluster.find_leaders, produce_timeout_ms=timeout_ms
        )
        self._driver: TransactionDriver | None = None
        self._last: tuple[frozenset[Partition], Ending] = frozenset(), Ending.ABORT
        self._sure_at = cluster.doubts

    async def acquire(self, suspects: Sequence[Partition] = ()) -> None:
        """Part of `Transactions`.

        Args:
            suspects: partitions in which a transaction of the id's last owner may hang. Where
                there are any, it may hang in the group's offsets, too.
        """
        await self.close()
        with self._lost(f"acquiring {self.transactional_id}"):
            async with asyncio.timeout(self._timeout_ms / 1000):
                found = await acquire(
                    self._requests.ask, self.transactional_id, timeout_ms=self._timeout_ms
                )
                if not isinstance(found, Acquired):
                    raise self._error(found.cause)
                self._start(found)
                if found.ending is not None:
                    await self._settle_hanging(suspects, found.ending)
        self._last = frozenset(), Ending.ABORT

    def _start(self, found: Acquired) -> None:
        session = TransactionSession(
            self.transactional_id,
            found.producer,
            self._version,
            coordinator=found.coordinator,
            limits=Limits(round_timeout_ms=self._timeout_ms * 0.8),
        )
        self._driver = TransactionDriver(session, self._requests.ask)

    def new_round(self) -> KafkaRound:
        """Part of `Transactions`."""
        return KafkaRound()

    async def commit(
        self, filled: Round, offsets: Mapping[Partition, int], membership: Membership | None
    ) -> Mapping[Partition, int]:
        """Part of `Transactions`."""
        assert isinstance(filled, KafkaRound)
        work = SessionRound(_for_session(filled), self._group_offsets(offsets, membership))
        base_offsets = await self.write(work)
        return {
            Partition(*where): bases[-1] + filled.batches[Partition(*where)][-1].records
            for where, bases in base_offsets.items()
            if bases[-1] >= 0
        }

    async def write(self, work: SessionRound) -> BaseOffsets:
        """Commit a round as `commit` does.

        Returns:
            Where the batches stand.
        """
        driver = self._driver
        if driver is None:
            raise SessionLost(f"{self.transactional_id} is not owned")
        await self._settle_doubt(driver)
        self._last = frozenset(Partition(*where) for where in work.partitions), Ending.COMMIT
        outcome = await self._do(driver, work)
        if isinstance(outcome, Committed):
            return outcome.base_offsets
        self._last = self._last[0], Ending.ABORT
        assert outcome.cause is not None, "nobody asked for an abort"
        raise self._error(outcome.cause, aborted=True)

    async def settle(self) -> None:
        """Part of `Transactions`."""
        if self._driver is None:
            raise SessionLost(f"{self.transactional_id} is not owned")
        partitions, ending = self._last
        if partitions:
            await self._settle(self._driver, partitions, ending)

    async def _do(
        self, driver: TransactionDriver, work: SessionRound | Settlement
    ) -> Committed | Aborted:
        """Do a round or a settlement."""
        self._driver = None  # whoever is cancelled in here leaves a transaction open
        try:
            with self._lost(f"committing a transaction of {self.transactional_id}"):
                outcome = await driver.commit(work)
        except BaseException:
            await driver.close()
            raise
        if isinstance(outcome, Dead):
            await driver.close()
            raise self._error(outcome.cause)
        self._driver = driver
        return outcome

    def _group_offsets(
        self, offsets: Mapping[Partition, int], membership: Membership | None
    ) -> GroupOffsets | None:
        if not offsets:
            return None
        assert self._group_id is not None, "offsets without a group"
        # An empty member id with generation -1 would skip the broker's check.
        assert membership is not None, "offsets without a membership"
        assert membership.member_id, "a membership without a member"
        return GroupOffsets(
            self._group_id,
            membership.member_id,
            membership.generation,
            None,
            {TopicPartition(*where): Offset(offset) for where, offset in offsets.items()},
        )

    # What may hang

    async def _settle_doubt(self, driver: TransactionDriver) -> None:
        partitions, ending = self._last
        while self._sure_at != (doubts := self._cluster.doubts):
            if partitions:
                _log.info("%s: ending what may hang of its last transaction", self.transactional_id)
                await self._settle(driver, partitions, ending)
            self._sure_at = doubts

    async def _settle_hanging(self, suspects: Sequence[Partition], ending: Ending) -> None:
        candidates = {*suspects, *self._last[0]}
        offsets = await self._cluster.offsets(sorted(candidates)) if candidates else {}
        hanging = [where for where, one in offsets.items() if one.stable_end < one.end]
        if (hanging or suspects) and self._driver is not None:
            _log.info("%s: ending what hangs of its last transaction", self.transactional_id)
            await self._settle(self._driver, frozenset(hanging), ending)

    async def _settle(
        self, driver: TransactionDriver, partitions: frozenset[Partition], ending: Ending
    ) -> None:
        where = [TopicPartition(*one) for one in partitions]
        await self._cluster.wait_for_leaders(partitions)
        outcome = await self._do(driver, Settlement(where, self._group_id, ending))
        if isinstance(outcome, Aborted) and outcome.cause is not None:
            raise self._error(outcome.cause)

    # Errors

    @contextmanager
    def _lost(self, doing: str) -> Iterator[None]:
        try:
            yield
        except (KafkaError, OSError, TimeoutError) as error:
            raise SessionLost(f"{doing}: {describe(error)}") from error

    def _error(
        self, cause: Cause, *, aborted: bool = False
    ) -> KafkaUnavailable | RoundAborted | SessionLost:
        text = f"a transaction of {self.transactional_id}: {cause}"
        if cause.error_code in _REFUSALS:
            return KafkaUnavailable(f"Kafka refuses {text}")
        if cause.error_code == ErrorCode.MESSAGE_TOO_LARGE and cause.partition is not None:
            text = (
                f"{cause.partition.topic} refuses what is written to it, as its max.message.bytes "
                "is too small: live-orders topics check says how to set it"
            )
        if aborted:
            return RoundAborted(text)
        return CutOff(text) if cause.error_code in _CUT_OFF else SessionLost(text)

    async def close(self) -> None:
        """Part of `Transactions`."""
        driver, self._driver = self._driver, None
        if driver is not None:
            await driver.close()


def batches_of(records: Sequence[Record]) -> list[RecordBatch]:
    """Records as batches for a partition."""
    filled, where = KafkaRound(), Partition("", 0)
    filled.add(where, records)
    return filled.batches.get(where, [])


def _for_session(filled: KafkaRound) -> dict[TopicPartition, Sequence[RecordBatch]]:
    return {TopicPartition(*where): batches for where, batches in filled.batches.items()}
