"""A group's committed offsets, or the certainty that there are none."""

from collections.abc import Sequence
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.commit import OffsetFetchRequest

from processor.kafka.passing import raise_for
from processor.runtime.ports import Committed

_NO_SUCH_GROUP: Final = 69


async def group_offsets(
    admin: AIOKafkaAdminClient, group_id: str, partition: int, topics: Sequence[str]
) -> dict[str, Committed]:
    """Ask the group's coordinator once for one partition of some topics.

    The admin client's own ``list_consumer_group_offsets`` overlooks an error that concerns the
    whole group, such as a coordinator that is still loading: no answer is not "no offset". Some
    brokers say that there is no such group, others give no offset for it: that is the same.

    Returns:
        Those that have a committed offset, by topic.

    Raises:
        KafkaError: it does not say; one that is retriable is passing.
    """
    coordinator = await admin.find_coordinator(group_id)
    request = OffsetFetchRequest(group_id, [(topic, [partition]) for topic in topics])
    response: Any = await admin._send_request(request, coordinator)
    if response.error_code == _NO_SUCH_GROUP:
        return {}
    raise_for(response.error_code)
    found = {}
    for topic, [(_partition, offset, metadata, error_code)] in response.topics:
        raise_for(error_code)
        if offset >= 0:
            found[topic] = Committed(offset, metadata)
    return found
