"""Topics that are gone while we run: aiokafka would ask for them for ever, and say nothing."""

from typing import Any

from aiokafka import AIOKafkaProducer

from processor.errors import FootingLost
from processor.topic_rules import TopicState, problems
from processor.topics import Topics


async def require_topics(producer: AIOKafkaProducer, topics: Topics) -> None:
    """See whether all our topics are there.

    They may be made again, or the broker may not have heard of them yet: no reason to end.

    Raises:
        FootingLost: one is not, and how to make it.
        KafkaError: the broker does not say.
    """
    # All topics: asking for one by name would create it where brokers create on demand.
    cluster: Any = await producer.client.fetch_all_metadata()
    found = {
        name: TopicState(name, len(partitions), 1, {})
        for name in topics.all
        if (partitions := cluster.partitions_for_topic(name))
    }
    if len(found) < len(topics.all):
        raise FootingLost(problems(topics, found, snapshot_max_age_ms=0)[0])
