"""``live-orders topics``: create and check the topics."""

import asyncio
from typing import Annotated

import typer

from processor.bootstrap import check_topics, make_topics
from processor.cli.options import BootstrapServers, TopicPrefix
from processor.settings import load_settings

app = typer.Typer(help="Create or check the topics.", no_args_is_help=True)


@app.command()
def create(
    streams: Annotated[
        int, typer.Option(min=1, max=10_000, help="Partitions of each topic, for good.")
    ],
    replication_factor: Annotated[
        int | None, typer.Option(min=1, help="Replicas of each [default: the broker's]")
    ] = None,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Create the topics that are missing, and check all of them."""
    settings = load_settings(bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix)
    created = asyncio.run(make_topics(settings, streams, replication_factor))
    for name in created:
        typer.echo(f"created {name}")
    if not created:
        typer.echo(f"all topics are there, with {streams} streams")


@app.command()
def check(bootstrap_servers: BootstrapServers = None, topic_prefix: TopicPrefix = None) -> None:
    """Check that the topics can keep the promises."""
    settings = load_settings(bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix)
    found = asyncio.run(check_topics(settings))
    for state in sorted(found.values(), key=lambda state: state.name):
        typer.echo(
            f"{state.name}: {state.partitions} partitions, {state.replication_factor} replicas, "
            f"{state.config.get('cleanup.policy')}"
        )
