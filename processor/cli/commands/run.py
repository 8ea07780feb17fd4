"""``live-orders run``: the processor."""

import asyncio
import logging
import sys
from contextlib import suppress
from importlib.metadata import version
from typing import Annotated

import typer

from processor.app.run import open_processor
from processor.cli.terminal.logs import log_library_to_stderr, log_to_stderr
from processor.cli.terminal.options import AppId, BootstrapServers, TopicPrefix, setting
from processor.cli.terminal.spinner import patiently
from processor.cli.terminal.stopping import Stopping
from processor.settings import Settings, load_settings, unknown_settings

_log = logging.getLogger(__name__)


def run(
    bootstrap_servers: BootstrapServers = None,
    app_id: AppId = None,
    topic_prefix: TopicPrefix = None,
    commit_interval_ms: Annotated[int | None, setting("commit_interval_ms")] = None,
    max_batch_events: Annotated[int | None, setting("max_batch_events")] = None,
    max_event_bytes: Annotated[int | None, setting("max_event_bytes")] = None,
    routing_grace_ms: Annotated[int | None, setting("routing_grace_ms")] = None,
    dedupe_events: Annotated[int | None, setting("dedupe_events")] = None,
    reorder_window_ms: Annotated[int | None, setting("reorder_window_ms")] = None,
    reorder_idle_ms: Annotated[int | None, setting("reorder_idle_ms")] = None,
    late_events: Annotated[str | None, setting("late_events", metavar="apply|reject")] = None,
    max_future_ms: Annotated[int | None, setting("max_future_ms")] = None,
    reorder_max_events: Annotated[int | None, setting("reorder_max_events")] = None,
    snapshot_interval_ms: Annotated[int | None, setting("snapshot_interval_ms")] = None,
    snapshot_max_age_ms: Annotated[int | None, setting("snapshot_max_age_ms")] = None,
    session_timeout_ms: Annotated[int | None, setting("session_timeout_ms")] = None,
    heartbeat_interval_ms: Annotated[int | None, setting("heartbeat_interval_ms")] = None,
    rebalance_timeout_ms: Annotated[int | None, setting("rebalance_timeout_ms")] = None,
    transaction_timeout_ms: Annotated[int | None, setting("transaction_timeout_ms")] = None,
    request_timeout_ms: Annotated[int | None, setting("request_timeout_ms")] = None,
    connect_timeout_ms: Annotated[int | None, setting("connect_timeout_ms")] = None,
    accept_lost_events: Annotated[
        bool | None, setting("accept_lost_events", flag="--accept-lost-events", metavar=None)
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
) -> None:
    """Run the processor until SIGTERM or Ctrl-C.

    Then it commits what is open, leaves the group and ends with exit code 0. If something hangs, it
    ends within 10 seconds with 143 or 130; nothing is lost.

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
        routing_grace_ms=routing_grace_ms,
        dedupe_events=dedupe_events,
        reorder_window_ms=reorder_window_ms,
        reorder_idle_ms=reorder_idle_ms,
        late_events=late_events,
        max_future_ms=max_future_ms,
        reorder_max_events=reorder_max_events,
        snapshot_interval_ms=snapshot_interval_ms,
        snapshot_max_age_ms=snapshot_max_age_ms,
        session_timeout_ms=session_timeout_ms,
        heartbeat_interval_ms=heartbeat_interval_ms,
        rebalance_timeout_ms=rebalance_timeout_ms,
        transaction_timeout_ms=transaction_timeout_ms,
        request_timeout_ms=request_timeout_ms,
        connect_timeout_ms=connect_timeout_ms,
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
    stopping = Stopping()
    stopping.listen()
    for sentence in unknown_settings():
        _log.warning(sentence)
    with suppress(asyncio.CancelledError):  # told to stop before it had begun
        await _serve(settings, stopping, verbose)
    stopping.ended()


async def _serve(settings: Settings, stopping: Stopping, verbose: bool) -> None:
    async with patiently(open_processor(settings), settings.bootstrap_servers) as supervisor:
        stopping.opened(supervisor)
        log_library_to_stderr(verbose)
        _log.info(
            "live-orders %s as %s on %s, topics %s*",
            version("live-orders"),
            settings.app_id,
            settings.bootstrap_servers,
            settings.topic_prefix,
        )
        await supervisor.run()
