"""``live-orders market``: a steady, realistic flow of order events."""

import asyncio
import random
from collections.abc import Iterator
from itertools import count
from typing import Annotated

import typer

from processor.app.connect import new_id
from processor.app.produce import open_event_producer
from processor.cli.render.text import counted
from processor.cli.terminal.market_flow import send_steadily
from processor.cli.terminal.options import BootstrapServers, TopicPrefix, setting
from processor.cli.terminal.output import say
from processor.cli.terminal.signals import serve
from processor.cli.terminal.spinner import patiently
from processor.market import Market, WireEvent
from processor.settings import Settings, load_settings
from processor.task.clock import SystemClock

_RUN_LENGTH = 8


def market(
    rate: Annotated[float | None, setting("market_rate", flag="--rate")] = None,
    users: Annotated[int | None, setting("market_users", flag="--users")] = None,
    max_live: Annotated[int | None, setting("market_max_live", flag="--max-live")] = None,
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", help="The same seed, the same events, but for ids and times."),
    ] = None,
    events: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop after so many events.")
    ] = None,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Send a steady, realistic flow of order events.

    Users place, pause, resume and cancel orders of their own, and now and then all of them, until
    SIGTERM or Ctrl-C; about half of --max-live orders are live. It begins anew each time it starts,
    with order ids that were never used before.
    """
    settings = load_settings(
        bootstrap_servers=bootstrap_servers,
        topic_prefix=topic_prefix,
        market_rate=rate,
        market_users=users,
        market_max_live=max_live,
    )
    serve(_send(settings, random.Random(seed), events))


async def _send(settings: Settings, chance: random.Random, limit: int | None) -> None:
    one = Market(
        chance,
        run=new_id()[:_RUN_LENGTH],
        users=settings.market_users,
        max_live=settings.market_max_live,
    )
    servers = settings.bootstrap_servers
    async with patiently(open_event_producer(settings), servers) as producer:
        say(
            f"sending {settings.market_rate:g} events a second of "
            f"{counted(settings.market_users, 'user')} to {settings.topic_prefix}events "
            f"on {servers}; Ctrl-C ends"
        )
        try:
            await send_steadily(_events(one, limit), producer, settings.market_rate)
            await producer.flush()
        except asyncio.CancelledError:
            await producer.flush()
            raise
        finally:
            say(f"{counted(producer.acknowledged, 'event')} sent")


def _events(one: Market, limit: int | None) -> Iterator[WireEvent]:
    """Events as of now, without an end unless there is a limit."""
    clock = SystemClock()
    for _ in count() if limit is None else range(limit):
        yield one.next_event(clock.now_us())
