"""Deleting a consumer group, which the admin client itself cannot."""

from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import DeleteGroupsRequest

_NO_SUCH_GROUP: Final = 69


async def delete_group(admin: AIOKafkaAdminClient, group_id: str) -> None:
    """Delete a group without members, with its offsets; one that is not there is no error.

    Raises:
        KafkaError: the broker refuses; it has members, for one.
    """
    coordinator = await admin.find_coordinator(group_id)
    response: Any = await admin._send_request(DeleteGroupsRequest([group_id]), coordinator)
    for name, code in response.results:
        if code and code != _NO_SUCH_GROUP:
            raise for_code(code)(f"cannot delete group {name}")
