"""Checking, creating and deleting the topics."""

from processor.app.connect import connection_of
from processor.errors import UsageError
from processor.kafka.client import admin_client
from processor.kafka.errors import for_command
from processor.kafka.group_removal import delete_group
from processor.kafka.topic_admin import (
    create_topics,
    default_replication_factor,
    delete_topics,
    describe_topics,
    wait_for_topics,
)
from processor.settings import Settings
from processor.topic_rules import (
    TopicState,
    problems,
    specs,
)
from processor.topics import Topics


def topics_of(settings: Settings) -> Topics:
    """The topics of a processor with these settings."""
    return Topics(settings.topic_prefix)


def require_sound(settings: Settings, topics: Topics, found: dict[str, TopicState]) -> None:
    """Refuse topics that cannot keep the promises.

    Raises:
        UsageError: with every problem and its remedy.
    """
    said = problems(topics, found, snapshot_max_age_ms=settings.snapshot_max_age_ms)
    if said:
        raise UsageError("\n".join(said))


async def check_topics(settings: Settings, topics: Topics) -> dict[str, TopicState]:
    """The topics, when they are as they must be.

    Raises:
        KafkaUnavailable: no broker answers.
        UsageError: they are not.
    """
    connection = connection_of(settings, "topics")
    async with admin_client(connection) as admin:
        with for_command(settings.bootstrap_servers):
            found = await describe_topics(admin, topics)
    require_sound(settings, topics, found)
    return found


async def make_topics(
    settings: Settings, num_streams: int, replication_factor: int | None
) -> list[str]:
    """Create the topics that are missing, and check all of them.

    Returns:
        The names of those that were created.

    Raises:
        KafkaUnavailable: no broker answers.
        UsageError: the broker refuses one, or one that exists is not as it must be.
    """
    topics = topics_of(settings)
    connection = connection_of(settings, "topics")
    async with admin_client(connection) as admin:
        with for_command(settings.bootstrap_servers):
            found = await describe_topics(admin, topics)
            wrong = [one for one in found.values() if one.partitions != num_streams]
            if wrong:
                raise UsageError(
                    f"{wrong[0].name} has {wrong[0].partitions} partitions already, not "
                    f"{num_streams}: use --streams {wrong[0].partitions}, or another --topic-prefix"
                )
            factor = replication_factor or await default_replication_factor(admin)
            missing = [s for s in specs(topics, num_streams, factor) if s.name not in found]
            if missing:
                await create_topics(admin, missing)
            found = await wait_for_topics(admin, topics)
    require_sound(settings, topics, found)
    return [spec.name for spec in missing]


async def remove_all(settings: Settings) -> None:
    """Delete the group, and those of the topics that are there, with all that is in them.

    Raises:
        KafkaUnavailable: no broker answers, or it refuses.
    """
    topics = Topics(settings.topic_prefix)
    async with admin_client(connection_of(settings, "topics")) as admin:
        with for_command(settings.bootstrap_servers):
            await delete_topics(admin, list(await describe_topics(admin, topics)))
            await delete_group(admin, settings.app_id)
