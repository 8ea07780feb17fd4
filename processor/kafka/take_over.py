"""Becoming the owner of a transactional id."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from processor.kafka.connection import Connection
from processor.kafka.fencing import fence
from processor.kafka.leaders import Leaders
from processor.kafka.markers import Markers

# Batches go up to the broker's message.max.bytes, about 1 MB by default; but aiokafka copies each
# ten times on its way out, which is faster while it stays in the processor's cache.
BATCH_BYTES = 200 * 1024


async def take_over(
    connection: Connection,
    admin: AIOKafkaAdminClient,
    open_offsets: AIOKafkaConsumer,
    leaders: Leaders,
    *,
    transactional_id: str,
    transaction_timeout_ms: int,
    group_id: str | None,
    partitions: Callable[[AIOKafkaProducer], Awaitable[Sequence[TopicPartition]]],
) -> tuple[AIOKafkaProducer, Markers]:
    """Cut off the last owner of an id; returns when its transaction has ended.

    Args:
        connection: how to connect.
        admin: whom to ask through.
        open_offsets: whom to ask for the ends of what is written, committed or not.
        leaders: of all that is written to.
        transactional_id: the id.
        transaction_timeout_ms: when the broker aborts a transaction by itself.
        group_id: the group whose offsets are committed.
        partitions: gives all that an owner of the id may write to.

    Returns:
        A producer with the id, which is not started yet, and the markers of its transactions.

    Raises:
        KafkaError: the broker refuses.
    """
    fenced = await fence(
        admin,
        transactional_id,
        timeout_ms=transaction_timeout_ms,
        retry_backoff_ms=connection.retry_backoff_ms,
    )
    producer = AIOKafkaProducer(
        **connection.options(),
        transactional_id=transactional_id,
        max_batch_size=BATCH_BYTES,
    )
    manager: Any = producer._txn_manager
    manager.set_pid_and_epoch(fenced.producer_id, fenced.producer_epoch)
    markers = Markers(
        producer,
        admin,
        open_offsets,
        leaders,
        transactional_id=transactional_id,
        group_id=group_id,
        partitions=partitions,
        ending=fenced.ending,
        retry_backoff_ms=connection.retry_backoff_ms,
    )
    return producer, markers
