"""Transactions of other processes: seeing them, and ending the one that was seen."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from aiokafka.client import CoordinationType
from aiokafka.protocol.transaction import EndTxnRequest

from processor.kafka.cluster import Cluster
from processor.kafka.protocol.describe_transactions import DescribeTransactionsRequest
from processor.kafka.protocol.end_txn import EndTxnV5
from processor.kafka.protocol.open_transactions import (
    DescribeProducersRequest,
    ListTransactionsRequest,
    open_producers_of,
    transactional_ids_of,
)
from processor.kafka.retriable import raise_for
from processor.kafka.transactions.values import TransactionVersion
from processor.task.ports import Partition, TransactionView

_NO_SUCH_ID: Final = 105
_OPEN: Final = "Ongoing"
_ENDING: Final = "Prepare"
# It has ended already, or its owner was cut off by somebody else.
_ENDED: Final = frozenset({47, 48, 49, 90})  # INVALID_PRODUCER_EPOCH, _TXN_STATE, _MAPPING, FENCED
_TRANSACTION: Final = CoordinationType.TRANSACTION


async def see_transaction(cluster: Cluster, transactional_id: str) -> TransactionView:
    """Ask an id's coordinator once.

    Raises:
        KafkaError: it does not say; one that is retriable is passing.
    """
    request = DescribeTransactionsRequest(transactional_id)
    response: Any = await cluster.ask_coordinator(_TRANSACTION, transactional_id, request)
    [(error_code, _id, state, _timeout, _start, producer_id, epoch, topics, _)] = (
        response.transaction_states
    )
    if error_code == _NO_SUCH_ID:
        return TransactionView(transactional_id, -1, -1, False, False, frozenset())
    _require(cluster, transactional_id, error_code)
    partitions = frozenset(
        Partition(topic, partition) for topic, some, _ in topics for partition in some
    )
    return TransactionView(
        transactional_id,
        producer_id,
        epoch,
        is_open=state == _OPEN,
        is_ending=state.startswith(_ENDING),
        partitions=partitions,
    )


async def abort_seen(cluster: Cluster, seen: TransactionView, version: TransactionVersion) -> None:
    """End a transaction as it was seen; one that is another one by now is left alone.

    With version 1 all transactions of an owner have the same epoch: a later one of the same owner
    is ended too, whole, and the owner acquires its id again.

    Raises:
        KafkaError: the coordinator does not do it; one that is retriable is passing.
    """
    producer = seen.transactional_id, seen.producer_id, seen.producer_epoch
    request: Any = EndTxnRequest(*producer, False)
    if version is TransactionVersion.V2:
        # It raises the epoch, so the owner is cut off, too.
        request = EndTxnV5(*producer, committed=False)
    response: Any = await cluster.ask_coordinator(_TRANSACTION, seen.transactional_id, request)
    if response.error_code not in _ENDED:
        _require(cluster, seen.transactional_id, response.error_code)


async def find_holders(cluster: Cluster, partitions: Sequence[Partition]) -> list[str]:
    """The transactional ids that have open transactions in partitions.

    Raises:
        KafkaError: a broker does not say; one that is retriable is passing.
    """
    producer_ids = sorted({one for some in await _producers(cluster, partitions) for one in some})
    if not producer_ids:
        return []
    request = ListTransactionsRequest(producer_ids)
    answers: list[Any] = await asyncio.gather(
        *(cluster.client.send(node, request) for node in cluster.view.brokers)
    )
    for answer in answers:
        raise_for(answer.error_code)
    return sorted({one for answer in answers for one in transactional_ids_of(answer)})


async def _producers(cluster: Cluster, partitions: Sequence[Partition]) -> list[list[int]]:
    async def ask(node: int, some: Sequence[Partition]) -> list[int]:
        by_topic: defaultdict[str, list[int]] = defaultdict(list)
        for topic, partition in some:
            by_topic[topic].append(partition)
        answer: Any = await cluster.client.send(node, DescribeProducersRequest(by_topic))
        return list(open_producers_of(answer))

    asked = cluster.by_leader(partitions).items()
    return list(await asyncio.gather(*(ask(node, some) for node, some in asked)))


def _require(cluster: Cluster, transactional_id: str, error_code: int) -> None:
    if error_code:
        cluster.forget_coordinator(_TRANSACTION, transactional_id)
    raise_for(error_code)
