"""Kafka as tasks see it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from aiokafka.client import CoordinationType
from aiokafka.protocol.admin import DeleteRecordsRequest

from processor.errors import OffsetUnstable
from processor.kafka.cluster import Cluster
from processor.kafka.errors import UnstableOffsetCommitError, for_task
from processor.kafka.other_transactions import abort_seen, find_holders, see_transaction
from processor.kafka.protocol.offset_fetch import OffsetFetchRequest, stable_offset_of
from processor.kafka.reader import KafkaLog
from processor.kafka.retriable import raise_for, until_passed
from processor.kafka.transactions.values import TransactionVersion
from processor.kafka.transactions_of_process import KafkaTransactions
from processor.task.ports import InputReader, Partition, TransactionView
from processor.topics import Topics

_T = TypeVar("_T")

_NO_SUCH_GROUP: Final = 69
# Locks are held for milliseconds.
_LOCK_TIMEOUT_MS: Final = 10_000


class KafkaBroker(KafkaLog):
    """A `Broker` over the connections of a process."""

    def __init__(
        self, cluster: Cluster, version: TransactionVersion, *, group_id: str, topics: Topics
    ) -> None:
        super().__init__(cluster)
        self._version = version
        self._group_id = group_id
        self._topics = topics
        self._request_timeout_s = cluster.connection.request_timeout_ms / 1000
        self._retry_s = cluster.connection.retry_backoff_ms / 1000

    async def read_inputs(self, stream: int, offsets: Mapping[str, int]) -> InputReader:
        """Part of `Broker`."""
        return self._cluster.fetcher.open(stream, offsets)

    async def topic_ids(self) -> Mapping[str, str]:
        """Part of `Broker`: as the cluster was last seen, a second ago at most."""
        ids = {topic: self._cluster.view.topic_id(topic) for topic in self._topics.all}
        return {topic: found.hex() for topic, found in ids.items() if found is not None}

    async def transaction_of(self, transactional_id: str) -> TransactionView:
        """Part of `Broker`."""
        return await self._ask(
            f"asking for the transaction of {transactional_id}",
            lambda: see_transaction(self._cluster, transactional_id),
        )

    async def abort_transaction(self, seen: TransactionView) -> None:
        """Part of `Broker`."""
        await self._ask(
            f"ending the transaction of {seen.transactional_id}",
            lambda: abort_seen(self._cluster, seen, self._version),
        )

    async def holders_of(self, partitions: Sequence[Partition]) -> Sequence[str]:
        """Part of `Broker`."""
        names = ", ".join(map(str, partitions))
        return await self._ask(
            f"asking for the open transactions in {names}",
            lambda: find_holders(self._cluster, partitions),
        )

    async def group_offset(self, stream: int) -> int | None:
        """Part of `Broker`: on the embedded broker, offsets of other streams count, too."""
        request = OffsetFetchRequest(self._group_id, self._topics.events, stream)

        async def ask() -> int | None:
            response: Any = await self._cluster.ask_coordinator(
                CoordinationType.GROUP, self._group_id, request
            )
            error_code, offset = stable_offset_of(response)
            if error_code == _NO_SUCH_GROUP:
                return None
            if error_code == UnstableOffsetCommitError.errno:
                raise OffsetUnstable
            if error_code:
                self._cluster.forget_coordinator(CoordinationType.GROUP, self._group_id)
            raise_for(error_code)
            return None if offset < 0 else offset

        return await self._ask(f"asking for the group's offset of stream {stream}", ask)

    async def settle_transaction(self, transactional_id: str) -> None:
        """Part of `Broker`."""
        topics = self._topics
        written = [
            Partition(topic, partition)
            for topic in (*topics.outputs, *topics.queues)
            for partition in range(self._cluster.view.partitions(topic))
        ]
        transactions = self._transactions(transactional_id)
        try:
            await transactions.acquire(written)
        finally:
            await transactions.close()

    async def lock(self, name: str) -> KafkaTransactions:
        """Part of `Broker`: all apps on these topics have the same one."""
        return self._transactions(f"live-orders:{self._topics.prefix}:{name}")

    def _transactions(self, transactional_id: str) -> KafkaTransactions:
        return KafkaTransactions(
            self._cluster,
            transactional_id,
            self._version,
            group_id=self._group_id,
            timeout_ms=_LOCK_TIMEOUT_MS,
        )

    async def purge(self, topic: str, partition: int, offset: int) -> None:
        """Part of `Broker`."""
        where = Partition(topic, partition)

        async def ask() -> None:
            request = DeleteRecordsRequest(
                [(topic, [(partition, offset)])], self._cluster.connection.request_timeout_ms
            )
            [node] = self._cluster.by_leader([where])
            response: Any = await self._cluster.client.send(node, request)
            for _topic, [(_partition, _watermark, error_code, *_), *_rest], *_ in response.topics:
                raise_for(error_code)

        await self._ask(f"deleting what was read of {where}", ask)

    async def _ask(self, doing: str, ask: Callable[[], Awaitable[_T]]) -> _T:
        with for_task(doing):
            async with asyncio.timeout(self._request_timeout_s):
                return await until_passed(doing, ask, self._retry_s)
