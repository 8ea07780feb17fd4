"""``live-orders topics``: create and check the topics."""

from typing import Annotated

import typer

from processor.app.topics import check_topics, make_topics, topics_of
from processor.cli.render.columns import columns
from processor.cli.terminal.options import BootstrapServers, TopicPrefix
from processor.cli.terminal.output import painter, write
from processor.cli.terminal.signals import perform
from processor.cli.terminal.spinner import waiting
from processor.settings import Settings, load_settings
from processor.topic_rules import TopicState

app = typer.Typer(help="Create or check the topics.", no_args_is_help=True)

_HEADS = ("topic", "partitions", "replicas", "cleanup")


@app.command()
def create(
    streams: Annotated[
        int,
        typer.Option(metavar="N", min=1, max=10_000, help="Partitions of each topic, for good."),
    ],
    replication_factor: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Replicas of each. [default: the broker's]"),
    ] = None,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Create the topics that are missing.

    All of them are checked, too.

    The number of streams is how many processes can share the work; it cannot be changed later.
    """
    settings = load_settings(bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix)
    created = perform(_create(settings, streams, replication_factor))
    if created:
        write(f"created {name}" for name in created)
    else:
        write([f"all topics are there, with {streams} streams"])


@app.command()
def check(
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Check that the topics can keep the promises.

    Says what is wrong and what to do about it, with exit code 2, if they cannot.
    """
    settings = load_settings(bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix)
    found = perform(_check(settings))
    rows = [
        (
            state.name,
            str(state.partitions),
            str(state.replication_factor),
            state.config.get("cleanup.policy", "?"),
        )
        for state in sorted(found.values(), key=lambda state: state.name)
    ]
    heads, *lines = columns(_HEADS, rows, right=(1, 2))
    write([painter()(heads, "bold"), *lines])


async def _create(settings: Settings, streams: int, replication_factor: int | None) -> list[str]:
    async with waiting(f"waiting for Kafka at {settings.bootstrap_servers} ..."):
        return await make_topics(settings, streams, replication_factor)


async def _check(settings: Settings) -> dict[str, TopicState]:
    async with waiting(f"waiting for Kafka at {settings.bootstrap_servers} ..."):
        return await check_topics(settings, topics_of(settings))
