"""Deleting the records of a partition up to an offset."""

from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import LeaderNotAvailableError
from aiokafka.protocol.admin import DeleteRecordsRequest

from processor.kafka.passing import raise_for


async def delete_records(
    admin: AIOKafkaAdminClient, topic: str, partition: int, before_offset: int, timeout_ms: int
) -> None:
    """Delete the records before an offset.

    The admin client's own ``delete_records`` asks for the metadata of every topic there is, which
    takes seconds where there are thousands.

    Raises:
        KafkaError: the broker refuses, or cannot.
    """
    (described,) = await admin.describe_topics([topic])
    leaders = {one["partition"]: one["leader"] for one in described["partitions"]}
    leader = leaders.get(partition, -1)
    if leader < 0:
        raise LeaderNotAvailableError(f"{topic}/{partition} has no leader")
    request = DeleteRecordsRequest([(topic, [(partition, before_offset)])], timeout_ms)
    response: Any = await admin._send_request(request, leader)
    for _topic, [(_partition, _low_watermark, error_code, *_), *_rest], *_ in response.topics:
        raise_for(error_code)
