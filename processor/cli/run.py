"""``live-orders run``: the processor."""

import asyncio
import logging
import signal
import sys
from typing import Annotated

import typer

from processor.bootstrap import open_processor
from processor.cli.options import AppId, BootstrapServers, TopicPrefix
from processor.settings import Settings, load_settings

_LOG_FORMAT = "%(asctime)s %(levelname)s %(message)s"


def run(
    bootstrap_servers: BootstrapServers = None,
    app_id: AppId = None,
    topic_prefix: TopicPrefix = None,
    commit_interval_ms: Annotated[
        int | None, typer.Option(help="Commit at least so often under load [default: 100]")
    ] = None,
    max_batch_events: Annotated[
        int | None, typer.Option(help="Commit after so many events [default: 5000]")
    ] = None,
    snapshot_interval_ms: Annotated[
        int | None, typer.Option(help="Snapshot at most so often [default: 1000]")
    ] = None,
    accept_lost_events: Annotated[
        bool | None,
        typer.Option(
            "--accept-lost-events", help="Go on although retention removed unread events."
        ),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
) -> None:
    """Run the processor until SIGTERM or SIGINT: finish the batch, commit, leave, exit 0.

    Every setting can be given as LIVE_ORDERS_NAME too, in the environment or in .env.
    """
    settings = load_settings(
        bootstrap_servers=bootstrap_servers,
        app_id=app_id,
        topic_prefix=topic_prefix,
        commit_interval_ms=commit_interval_ms,
        max_batch_events=max_batch_events,
        snapshot_interval_ms=snapshot_interval_ms,
        accept_lost_events=accept_lost_events,
    )
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format=_LOG_FORMAT)
    logging.getLogger("processor").setLevel(logging.DEBUG if verbose else logging.INFO)
    if verbose:
        logging.getLogger("aiokafka").setLevel(logging.INFO)
    _run(settings)


def _run(settings: Settings) -> None:
    if sys.platform == "win32":
        asyncio.run(_process(settings))
    else:
        import uvloop

        uvloop.run(_process(settings))


async def _process(settings: Settings) -> None:
    async with open_processor(settings) as supervisor:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, supervisor.stop)
        await supervisor.run()
