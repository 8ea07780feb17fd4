"""Every private part of aiokafka 0.14 that is relied on, each with why and what would remove it."""

from typing import Any

from aiokafka import AIOKafkaConsumer

from processor.task.ports import Membership


def membership_of(consumer: AIOKafkaConsumer) -> Membership:
    """A consumer's membership in its group, when it has just been assigned partitions.

    TxnOffsetCommit must carry member id and generation (KIP-447). A public way to a consumer's
    group metadata, which the Java client has, would remove this.
    """
    coordinator: Any = consumer._coordinator
    return Membership(coordinator.member_id, coordinator.generation)
