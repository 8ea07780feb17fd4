"""``live-orders dead-letters``: what was no event."""

import typer

from processor.bootstrap import open_log
from processor.cli.dead_letter_lines import (
    dead_letter_heads,
    dead_letter_json,
    dead_letter_line,
)
from processor.cli.options import BootstrapServers, Json, TopicPrefix
from processor.cli.output import is_terminal, painter, say, write
from processor.cli.perform import perform
from processor.cli.text import counted
from processor.cli.waiting import patiently
from processor.runtime.log import batches
from processor.settings import Settings, load_settings

app = typer.Typer(help="Look at what was no event.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Look at what was no event, and why."""


@app.command("list")
def list_letters(
    json: Json = False,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Print all dead letters there are, stream by stream.

    Each line has the letter's partition/offset, when it was written, the partition/offset of the
    record in orders.events, why it was no event, and how its value begins.
    """
    settings = load_settings(bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix)
    perform(_list(settings, json))


async def _list(settings: Settings, json: bool) -> None:
    shape = dead_letter_json if json else dead_letter_line
    count = 0
    async with patiently(open_log(settings), settings.bootstrap_servers) as reading:
        topic = reading.topics.dead_letters
        for stream, bounds in (await reading.ends(topic)).items():
            async for records in batches(reading.log, topic, stream, bounds):
                if records and not count and is_terminal() and not json:
                    write([dead_letter_heads(painter())])
                write(shape(stream, record) for record in records)
                count += len(records)
    if is_terminal():
        say(counted(count, "dead letter"))
