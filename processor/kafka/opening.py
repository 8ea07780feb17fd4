"""The request that begins a transaction at its coordinator.

aiokafka would send it by itself, and again by itself when the connection was lost: to a coordinator
that may have completed the transaction before without all of its markers. So it is sent from here.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.client import ConnectionGroup, CoordinationType
from aiokafka.errors import (
    InvalidProducerEpoch,
    KafkaError,
    OperationNotAttempted,
    ProducerFenced,
    for_code,
)
from aiokafka.protocol.transaction import AddOffsetsToTxnRequest, AddPartitionsToTxnRequest


async def open_transaction(
    producer: AIOKafkaProducer, partitions: Sequence[TopicPartition], group_id: str | None
) -> None:
    """Try once to begin a transaction that writes to partitions and commits a group's offsets.

    Raises:
        ConcurrentTransactions: the one before has not got all of its markers yet.
        KafkaError: the coordinator refuses, or it is unknown whether it has taken it.
    """
    manager: Any = producer._txn_manager
    if partitions:
        by_topic = defaultdict(list)
        for topic, partition in partitions:
            by_topic[topic].append(partition)
        request = AddPartitionsToTxnRequest(
            manager.transactional_id,
            manager.producer_id,
            manager.producer_epoch,
            list(by_topic.items()),
        )
        response = await _ask_coordinator(producer, request)
        _raise_for(code for _, parts in response.errors for _, code in parts)
    if group_id is not None:
        response = await _ask_coordinator(
            producer,
            AddOffsetsToTxnRequest(
                manager.transactional_id, manager.producer_id, manager.producer_epoch, group_id
            ),
        )
        _raise_for([response.error_code])
    await producer.begin_transaction()
    manager._txn_partitions.update(partitions)
    if group_id is not None:
        manager.consumer_group_added(group_id)


async def _ask_coordinator(producer: AIOKafkaProducer, request: Any) -> Any:
    sender: Any = producer._sender
    transactions = CoordinationType.TRANSACTION
    coordinator = await sender._find_coordinator(transactions, sender._txn_manager.transactional_id)
    try:
        return await producer.client.send(coordinator, request, group=ConnectionGroup.COORDINATION)
    except KafkaError:
        sender._coordinator_dead(transactions)
        raise


def _raise_for(codes: Iterable[int]) -> None:
    failed = {code for code in codes if code}
    if len(failed) > 1:  # this one only says that another one failed
        failed.discard(OperationNotAttempted.errno)
    if failed:
        kind = for_code(min(failed))
        raise ProducerFenced if kind is InvalidProducerEpoch else kind(f"code {min(failed)}")
