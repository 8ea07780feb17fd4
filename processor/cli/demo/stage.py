"""A Kafka to play on, and topics of which nothing is left afterwards."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from processor.app.connect import new_id
from processor.app.topics import make_topics, remove_all
from processor.cli.terminal.background import Background, in_background
from processor.cli.terminal.output import say, write
from processor.cli.terminal.spinner import waiting
from processor.embedded import EmbeddedBroker, embedded_broker
from processor.errors import KafkaUnavailable
from processor.settings import Settings, load_settings

STREAMS: Final = 4


@dataclass(frozen=True, slots=True)
class Stage:
    """Where to play, and what ends when the Kafka there does."""

    settings: Settings
    kafka: list[Background]


@asynccontextmanager
async def a_stage(given: Settings) -> AsyncIterator[Stage]:
    """The Kafka that the settings name, if they do, or one for this run."""
    named = "bootstrap_servers" in given.model_fields_set
    async with _on_named(given) if named else _on_embedded(given) as stage:
        write([f"topics     {stage.settings.topic_prefix}*, {STREAMS} streams"])
        yield stage


@asynccontextmanager
async def _on_embedded(given: Settings) -> AsyncIterator[Stage]:
    async with embedded_broker() as broker:
        write([f"Kafka      {broker.servers}, the embedded broker, for this demo only"])
        settings = with_settings(given, bootstrap_servers=broker.servers)
        await make_topics(settings, STREAMS, None)
        async with in_background(_lives(broker)) as kafka:
            try:
                yield Stage(settings, kafka)
            finally:
                write(["Kafka      stopping; it keeps nothing"])


async def _lives(broker: EmbeddedBroker) -> None:
    code = await asyncio.shield(broker.ended)
    raise KafkaUnavailable(
        f"the embedded broker ended by itself, with exit code {code}: start the demo again"
    )


@asynccontextmanager
async def _on_named(given: Settings) -> AsyncIterator[Stage]:
    """Topics of its own, under a name that nobody else has."""
    name = f"demo-{new_id()[:8]}"
    settings = with_settings(given, topic_prefix=f"{name}.", app_id=name)
    write([f"Kafka      {settings.bootstrap_servers}, as the settings say"])
    await _make(settings)
    try:
        yield Stage(settings, [])
    finally:
        await _remove(settings)


async def _make(settings: Settings) -> None:
    """The topics, or none of them."""
    try:
        async with waiting(f"waiting for Kafka at {settings.bootstrap_servers} ..."):
            await make_topics(settings, STREAMS, None)
    except KafkaUnavailable:  # so there is nobody to remove them either
        raise
    except BaseException:
        await _remove(settings)
        raise


async def _remove(settings: Settings) -> None:
    try:
        await remove_all(settings)
    except KafkaUnavailable:
        names = f"{settings.topic_prefix}*"
        say(f"live-orders: {names} could not be deleted; if they are there, delete them by hand")
    else:
        write([f"topics     {settings.topic_prefix}* deleted, nothing is left"])


def with_settings(given: Settings, **changed: str) -> Settings:
    """The same settings but for some."""
    return load_settings(**{**given.model_dump(include=given.model_fields_set), **changed})
