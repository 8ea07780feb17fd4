"""A group's committed offset, or the certainty that there is none."""

from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.commit import OffsetFetchRequest

from processor.runtime.ports import Committed

_NO_SUCH_GROUP: Final = 69


async def group_offset(
    admin: AIOKafkaAdminClient, group_id: str, source: TopicPartition
) -> Committed | None:
    """Ask the group's coordinator once.

    The admin client's own ``list_consumer_group_offsets`` overlooks an error that concerns the
    whole group, such as a coordinator that is still loading: no answer is not "no offset". Some
    brokers say that there is no such group, others give no offset for it: that is the same.

    Raises:
        KafkaError: it does not say; one that is retriable is passing.
    """
    coordinator = await admin.find_coordinator(group_id)
    request = OffsetFetchRequest(group_id, [(source.topic, [source.partition])])
    response: Any = await admin._send_request(request, coordinator)
    if response.error_code == _NO_SUCH_GROUP:
        return None
    _raise_for(response.error_code)
    [(_topic, [(_partition, offset, metadata, error_code)])] = response.topics
    _raise_for(error_code)
    return Committed(offset, metadata) if offset >= 0 else None


def _raise_for(error_code: int) -> None:
    if error_code:
        raise for_code(error_code)(f"code {error_code}")
