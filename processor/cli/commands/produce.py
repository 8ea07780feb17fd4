"""``live-orders produce``: events from JSON lines."""

import asyncio
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from processor.app.produce import EventSink, open_event_producer
from processor.cli.render.text import counted
from processor.cli.terminal.options import BootstrapServers, TopicPrefix
from processor.cli.terminal.output import say
from processor.cli.terminal.produce_progress import ProduceProgress
from processor.cli.terminal.rate_limit import Pace, keep
from processor.cli.terminal.signals import perform
from processor.cli.terminal.spinner import patiently
from processor.cli.terminal.stdin_lines import numbered_lines
from processor.errors import KafkaUnavailable, UsageError
from processor.settings import Settings, load_settings
from processor.wire.event import Event, Refusal, parse_event, too_large


@dataclass(slots=True)
class _Work:
    """The work to do, and how far it is."""

    settings: Settings
    file: int
    skip_invalid: bool
    pace: Pace | None
    line: int = 0
    acknowledged: int = 0
    skipped: int = 0


def produce(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE|-", help="JSON lines, one event each; - is standard input."),
    ] = "-",
    skip_invalid: Annotated[
        bool,
        typer.Option("--skip-invalid", help="Say which lines are no events, and go on."),
    ] = False,
    rate: Annotated[
        float | None,
        typer.Option(min=0.001, metavar="N", help="Send at most N events a second."),
    ] = None,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Check events and send them to Kafka.

    Stops at the first line that is no event, unless told to skip such lines.

    The key is the user, else the order. A command without a user finds its order wherever that is;
    with the user it takes effect sooner, and in the order of the user's other events.

    Blank lines are left out. What was sent before a stop stays sent; the last line on standard
    error says how much that was.
    """
    settings = load_settings(bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix)
    with _open(file) as number:
        work = _Work(settings, number, skip_invalid, Pace(rate) if rate else None)
        try:
            perform(_send_all(work))
        except typer.Exit:
            say(f"live-orders: interrupted after line {work.line:,}; {_sent(work)}")
            raise
    say(_sent(work))


def _sent(work: _Work) -> str:
    sent = f"{counted(work.acknowledged, 'event')} sent"
    return f"{sent}, {counted(work.skipped, 'line')} skipped" if work.skip_invalid else sent


@contextmanager
def _open(file: str) -> Iterator[int]:
    """The file's descriptor."""
    if file == "-":
        yield sys.stdin.fileno()
        return
    try:
        with Path(file).open("rb", buffering=0) as opened:
            yield opened.fileno()
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}; name a file of JSON lines, or -") from None


async def _send_all(work: _Work) -> None:
    opening = open_event_producer(work.settings)
    async with patiently(opening, work.settings.bootstrap_servers) as producer:
        try:
            with _progress(work.file) as progress:
                await _send_lines(work, producer, progress)
        except asyncio.CancelledError:
            await producer.flush()
            raise
        except UsageError as error:
            await producer.flush()
            sent = counted(producer.acknowledged, "event")
            raise UsageError(f"{error} (sent before it: {sent})") from None
        except KafkaUnavailable as error:
            sent = counted(producer.acknowledged, "event")
            raise KafkaUnavailable(f"{error} ({sent} acknowledged)") from error
        finally:
            work.acknowledged = producer.acknowledged


def _progress(file: int) -> ProduceProgress:
    if os.isatty(file):
        say("reading events from the terminal, one a line; Ctrl-D ends")
        return ProduceProgress(None, shown=False)
    return ProduceProgress(_size_bytes(file))


async def _send_lines(work: _Work, producer: EventSink, progress: ProduceProgress) -> None:
    max_bytes = work.settings.max_event_bytes
    async for number, line in numbered_lines(work.file, producer.push):
        event = too_large(len(line), max_bytes) if len(line) > max_bytes else parse_event(line)
        if isinstance(event, Refusal):
            _refuse(work, number, event)
        else:
            if work.pace is not None:
                await keep(work.pace, producer)
            await producer.send(_key(event), line)
        work.line = number
        progress.on_line(len(line), producer.acknowledged)
    await producer.flush()


def _refuse(work: _Work, number: int, refusal: Refusal) -> None:
    if not work.skip_invalid:
        raise UsageError(
            f"line {number}: {refusal.detail}; mend it, or leave out such lines with --skip-invalid"
        )
    work.skipped += 1
    say(f"line {number}: {refusal.detail}; skipped")


def _size_bytes(file: int) -> int | None:
    """How long a file is; None for a pipe or a terminal."""
    about = os.fstat(file)
    return about.st_size if stat.S_ISREG(about.st_mode) else None


def _key(event: Event) -> str:
    """The user, so that it lands in the user's stream; else the order."""
    if event["type"] == "cancel_all_by_user":
        return event["user_id"]
    return event.get("user_id") or event["order_id"]
