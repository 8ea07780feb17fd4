"""``live-orders run``: the processor."""

import asyncio
import logging
import os
import signal
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from processor.bootstrap import open_processor
from processor.cli.logs import log_library_to_stderr, log_to_stderr
from processor.cli.options import AppId, BootstrapServers, TopicPrefix
from processor.settings import Settings, load_settings, unknown_settings

_log = logging.getLogger(__name__)

_EXIT_TIMEOUT_S = 9.5


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
    log_to_stderr(verbose)
    _run(settings, verbose)


def _run(settings: Settings, verbose: bool) -> None:
    if sys.platform == "win32":
        asyncio.run(_process(settings, verbose))
    else:
        import uvloop

        uvloop.run(_process(settings, verbose))


async def _process(settings: Settings, verbose: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        # Whatever hangs, the process is gone before it would be killed; a transaction that is
        # open then is aborted by the broker, or by the stream's next owner.
        loop.call_later(_EXIT_TIMEOUT_S, os._exit, 0)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    for sentence in unknown_settings():
        _log.warning(sentence)
    async with open_processor(settings) as supervisor:
        log_library_to_stderr(verbose)
        _log.info(
            "live-orders %s as %s on %s, topics %s*",
            version("live-orders"),
            settings.app_id,
            settings.bootstrap_servers,
            settings.topic_prefix,
        )
        stopping = asyncio.ensure_future(stop.wait())
        stopping.add_done_callback(lambda _: supervisor.stop())
        try:
            await supervisor.run()
        finally:
            stopping.cancel()
