"""``live-orders demo``: everything at once, on this machine, with nothing left behind."""

import asyncio
import sys
from contextlib import suppress
from typing import Annotated

import typer
from rich.console import Console

from processor.app.produce import open_event_producer
from processor.app.read import open_log
from processor.cli.demo.live import RATE, USERS, run_live
from processor.cli.demo.play import play_example
from processor.cli.demo.stage import a_stage
from processor.cli.demo.worker import a_processor
from processor.cli.terminal.options import setting
from processor.cli.terminal.output import is_terminal, painter, write
from processor.cli.terminal.signals import serve
from processor.cli.terminal.uninterrupted_exit import ToItsEnd
from processor.settings import Settings, load_settings


def demo(
    once: Annotated[bool, typer.Option("--once", help="Stop after the example.")] = False,
    bootstrap_servers: Annotated[
        str | None,
        setting("bootstrap_servers", metavar="SERVERS", default="the embedded broker"),
    ] = None,
) -> None:
    """Show it at work: an example, then a small live market.

    The example's events are sent one by one, with the list of live orders after each as a reader
    of the output topics sees it. Then a table follows a small market until Ctrl-C; without a
    terminal, or with --once, the demo ends before that.

    It starts a processor and the embedded broker; or, on the Kafka that --bootstrap-servers or
    LIVE_ORDERS_BOOTSTRAP_SERVERS names, has topics of its own. Nothing is left afterwards.
    """
    given = load_settings(bootstrap_servers=bootstrap_servers)
    live = not once and is_terminal() and not Console().is_dumb_terminal
    interrupted_by = serve(_demo(given, live=live))
    if interrupted_by is not None:
        raise typer.Exit(128 + interrupted_by)


async def _demo(given: Settings, *, live: bool) -> None:
    async with ToItsEnd() as stack:
        stage = await stack.enter_async_context(a_stage(given))
        settings = stage.settings
        servers = settings.bootstrap_servers
        working = await stack.enter_async_context(a_processor(settings))
        background = [working, *stage.kafka]
        reading = await stack.enter_async_context(open_log(settings))
        producer = await stack.enter_async_context(open_event_producer(settings))
        await play_example(reading, producer, servers, painter(), background)
        if live:
            write(_invitation(settings))
            with suppress(asyncio.CancelledError):  # so it is meant to end
                await run_live(reading, producer, servers, background)


def _invitation(settings: Settings) -> list[str]:
    where = f"--bootstrap-servers {settings.bootstrap_servers}"
    if settings.topic_prefix != "orders.":
        where += f" --topic-prefix {settings.topic_prefix}"
    return [
        f"Now a small market: {USERS} users, {RATE} events a second. Ctrl-C ends.",
        f"In another terminal: {sys.argv[0]} watch {where}",
        "",
    ]
