"""Looking at topics and creating them."""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from processor.errors import UsageError
from processor.topic_rules import TopicSpec, TopicState
from processor.topics import Topics

_TOPIC_EXISTS = 36
_NO_SUCH_TOPIC = 3
_LIMIT_MS = 30_000
_POLL_S = 0.05


async def describe_topics(admin: AIOKafkaAdminClient, topics: Topics) -> dict[str, TopicState]:
    """Those of our topics that exist, by name."""
    # All topics: asking for one by name would create it where brokers create on demand.
    shapes = {
        one["topic"]: one["partitions"]
        for one in await admin.describe_topics()
        if one["topic"] in topics.all
    }
    if not shapes:
        return {}
    configs = await _topic_configs(admin, list(shapes))
    return {
        name: TopicState(name, len(parts), len(parts[0]["replicas"]), configs.get(name, {}))
        for name, parts in shapes.items()
    }


async def wait_for_topics(admin: AIOKafkaAdminClient, topics: Topics) -> dict[str, TopicState]:
    """Wait until all our topics, just created, are known and have leaders.

    Returns:
        The topics as far as they are there; not all when it takes longer than half a minute.
    """
    deadline = asyncio.get_running_loop().time() + _LIMIT_MS / 1000
    while asyncio.get_running_loop().time() < deadline:
        leaders = {
            one["topic"]: [part["leader"] for part in one["partitions"]]
            for one in await admin.describe_topics()
        }
        if all(leaders.get(name) and min(leaders[name]) >= 0 for name in topics.all):
            break
        await asyncio.sleep(_POLL_S)
    return await describe_topics(admin, topics)


async def default_replication_factor(admin: AIOKafkaAdminClient) -> int:
    """The broker's replication factor for a topic that asks for none."""
    key = "default.replication.factor"
    node = (await admin.describe_cluster())["brokers"][0]["node_id"]
    resource = ConfigResource(ConfigResourceType.BROKER, str(node), {key: None})
    responses: list[Any] = await admin.describe_configs([resource])
    for response in responses:
        for _code, _message, _type, _name, entries in response.resources:
            for name, value, *_ in entries:
                if name == key:
                    return int(value)
    return 1


async def create_topics(admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec]) -> None:
    """Create topics; one that has come into being meanwhile is no error.

    Raises:
        UsageError: the broker refuses one.
    """
    response: Any = await admin.create_topics(
        [
            NewTopic(
                spec.name,
                spec.partitions,
                spec.replication_factor,
                topic_configs=dict(spec.config),
            )
            for spec in specs
        ],
        timeout_ms=_LIMIT_MS,
    )
    for name, code, message in response.topic_errors:
        if code and code != _TOPIC_EXISTS:
            raise UsageError(f"cannot create {name}: {message or for_code(code).__name__}")


async def delete_topics(admin: AIOKafkaAdminClient, names: Sequence[str]) -> None:
    """Delete topics; one that has gone meanwhile is no error.

    Raises:
        KafkaError: the broker refuses.
    """
    response: Any = await admin.delete_topics(list(names), timeout_ms=_LIMIT_MS)
    for name, code in response.topic_error_codes:
        if code and code != _NO_SUCH_TOPIC:
            raise for_code(code)(f"cannot delete {name}")


async def _topic_configs(
    admin: AIOKafkaAdminClient, names: Sequence[str]
) -> dict[str, dict[str, str]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    responses: list[Any] = await admin.describe_configs(resources)
    return {
        name: {key: value or "" for key, value, *_ in entries}
        for response in responses
        for _code, _message, _type, name, entries in response.resources
    }
