"""Topics of a run's own."""

import time

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from processor.app.topics import make_topics, topics_of
from processor.kafka.topic_admin import default_replication_factor
from processor.settings import Settings, load_settings


def fresh_settings(servers: str, name: str) -> Settings:
    """Settings with an app id and a topic prefix never used before."""
    unique = f"bench-{name}-{time.time_ns() // 1_000_000}"
    return load_settings(bootstrap_servers=servers, app_id=unique, topic_prefix=f"{unique}.")


async def prepare(settings: Settings, num_streams: int) -> str:
    """Create the topics, and wait until the broker serves them; the name of the events topic."""
    await make_topics(settings, num_streams, None)
    ours = topics_of(settings)
    # The controller names leaders some time before they know it, with many partitions seconds.
    async with AIOKafkaConsumer(bootstrap_servers=settings.bootstrap_servers) as consumer:
        for topic in ours.all:
            await consumer.end_offsets(
                [TopicPartition(topic, number) for number in range(num_streams)]
            )
    return ours.events


async def create_plain(servers: str, name: str, partitions: int) -> None:
    """Create a topic as the broker makes them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        factor = await default_replication_factor(admin)
        await admin.create_topics([NewTopic(name, partitions, factor)])
    finally:
        await admin.close()


async def delete(servers: str, *prefixes: str) -> None:
    """Delete all topics that begin so: a broker should not keep our rubbish."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        ours = [name for name in await admin.list_topics() if name.startswith(prefixes)]
        if ours:
            await admin.delete_topics(ours)
    finally:
        await admin.close()


def environment(settings: Settings) -> dict[str, str]:
    """The settings as a child's environment."""
    return {
        "LIVE_ORDERS_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "LIVE_ORDERS_APP_ID": settings.app_id,
        "LIVE_ORDERS_TOPIC_PREFIX": settings.topic_prefix,
    }
