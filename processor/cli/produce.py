"""``live-orders produce``: events from JSON lines."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from processor.bootstrap import open_event_producer
from processor.cli.options import BootstrapServers, TopicPrefix
from processor.errors import UsageError
from processor.settings import Settings, load_settings
from schemas.event import Event, Refusal, parse_event


def produce(
    file: Annotated[
        str, typer.Argument(help="JSON lines, one event each; - for standard input")
    ] = "-",
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Check events and send them; stops at the first line that is none.

    The key is the user, else the order. A command without a user finds its order only when the
    order id happens to lead to the stream that has it: give the user.
    """
    settings = load_settings(bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix)
    with _open(file) as lines:
        sent = asyncio.run(_send(settings, lines))
    typer.echo("1 event sent" if sent == 1 else f"{sent} events sent", err=True)


@contextmanager
def _open(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        with Path(file).open("rb") as lines:
            yield lines
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}; name a file of JSON lines, or -") from None


async def _send(settings: Settings, lines: BinaryIO) -> int:
    async with open_event_producer(settings) as producer:
        number = 0
        while line := await asyncio.to_thread(lines.readline):
            number += 1
            line = line.strip()
            if not line:
                continue
            event = parse_event(line)
            if isinstance(event, Refusal):
                await producer.flush()
                raise UsageError(
                    f"line {number}: {event.detail} (sent before it: "
                    f"{producer.acknowledged} events)"
                )
            await producer.send(_key(event), line)
        await producer.flush()
        return producer.acknowledged


def _key(event: Event) -> str:
    """The user, so that it lands in the user's stream; else the order."""
    if event["type"] == "cancel_all_by_user":
        return event["user_id"]
    return event.get("user_id") or event["order_id"]
