"""``live-orders run``: the processor."""

import asyncio
import logging
import os
import signal
import sys
from contextlib import suppress
from importlib.metadata import version
from typing import Annotated

import typer

from processor.bootstrap import open_processor
from processor.cli.logs import log_library_to_stderr, log_to_stderr
from processor.cli.options import AppId, BootstrapServers, TopicPrefix, setting
from processor.cli.waiting import patiently
from processor.settings import Settings, load_settings, unknown_settings

_log = logging.getLogger(__name__)

_EXIT_TIMEOUT_S = 9.5


def run(
    bootstrap_servers: BootstrapServers = None,
    app_id: AppId = None,
    topic_prefix: TopicPrefix = None,
    commit_interval_ms: Annotated[int | None, setting("commit_interval_ms")] = None,
    max_batch_events: Annotated[int | None, setting("max_batch_events")] = None,
    max_event_bytes: Annotated[int | None, setting("max_event_bytes")] = None,
    snapshot_interval_ms: Annotated[int | None, setting("snapshot_interval_ms")] = None,
    snapshot_max_age_ms: Annotated[int | None, setting("snapshot_max_age_ms")] = None,
    session_timeout_ms: Annotated[int | None, setting("session_timeout_ms")] = None,
    heartbeat_interval_ms: Annotated[int | None, setting("heartbeat_interval_ms")] = None,
    rebalance_timeout_ms: Annotated[int | None, setting("rebalance_timeout_ms")] = None,
    transaction_timeout_ms: Annotated[int | None, setting("transaction_timeout_ms")] = None,
    request_timeout_ms: Annotated[int | None, setting("request_timeout_ms")] = None,
    connect_timeout_ms: Annotated[int | None, setting("connect_timeout_ms")] = None,
    offset_refresh_interval_ms: Annotated[int | None, setting("offset_refresh_interval_ms")] = None,
    accept_lost_events: Annotated[
        bool | None, setting("accept_lost_events", flag="--accept-lost-events", metavar=None)
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
) -> None:
    """Run the processor until SIGTERM or Ctrl-C.

    Then it finishes its batches, commits, leaves the group and ends with exit code 0.

    Start more processes with the same --app-id to share the work, up to one per stream. Each
    setting can be given as LIVE_ORDERS_NAME too, in the environment or in .env.
    """
    settings = load_settings(
        bootstrap_servers=bootstrap_servers,
        app_id=app_id,
        topic_prefix=topic_prefix,
        commit_interval_ms=commit_interval_ms,
        max_batch_events=max_batch_events,
        max_event_bytes=max_event_bytes,
        snapshot_interval_ms=snapshot_interval_ms,
        snapshot_max_age_ms=snapshot_max_age_ms,
        session_timeout_ms=session_timeout_ms,
        heartbeat_interval_ms=heartbeat_interval_ms,
        rebalance_timeout_ms=rebalance_timeout_ms,
        transaction_timeout_ms=transaction_timeout_ms,
        request_timeout_ms=request_timeout_ms,
        connect_timeout_ms=connect_timeout_ms,
        offset_refresh_interval_ms=offset_refresh_interval_ms,
        accept_lost_events=accept_lost_events,
    )
    log_to_stderr(verbose)
    _run(settings, verbose)


def _run(settings: Settings, verbose: bool) -> None:
    with suppress(asyncio.CancelledError):  # told to stop before it had begun
        if sys.platform == "win32":
            asyncio.run(_process(settings, verbose))
        else:
            import uvloop

            uvloop.run(_process(settings, verbose))


async def _process(settings: Settings, verbose: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    opening = asyncio.current_task()

    def on_signal() -> None:
        if opening is not None:
            opening.cancel()
        # Whatever hangs, the process is gone before it would be killed; a transaction that is
        # open then is aborted by the broker, or by the stream's next owner.
        loop.call_later(_EXIT_TIMEOUT_S, os._exit, 0)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    for sentence in unknown_settings():
        _log.warning(sentence)
    async with patiently(open_processor(settings), settings.bootstrap_servers) as supervisor:
        opening = None
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
