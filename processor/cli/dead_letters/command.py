"""``live-orders dead-letters``: what was no event, and putting it back."""

from functools import partial
from typing import Annotated

import typer

from processor.app.read import open_log
from processor.cli.dead_letters.filter import REASONS, read_conditions, read_places
from processor.cli.dead_letters.lines import (
    dead_letter_heads,
    dead_letter_json,
    dead_letter_line,
    dead_letter_shape,
)
from processor.cli.dead_letters.replay import Replay, run_replay
from processor.cli.dead_letters.selection import Selection, read_all
from processor.cli.dead_letters.view import letter_view
from processor.cli.render.text import counted
from processor.cli.terminal.options import BootstrapServers, Json, TopicPrefix
from processor.cli.terminal.output import is_terminal, painter, say, terminal_width, write
from processor.cli.terminal.signals import perform
from processor.cli.terminal.spinner import patiently
from processor.settings import Settings, load_settings

app = typer.Typer(help="Look at what was no event, and put it back.", no_args_is_help=True)

Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="NAME=VALUE",
        help=f"Only some letters: reason={', '.join(REASONS[:-1])} or {REASONS[-1]}; "
        "source=PARTITION or PARTITION/OFFSET of the event; detail=TEXT in it; key=KEY; "
        "replayed=yes or no; since=TIME or until=TIME of writing, such as 2026-01-31T12:00:00Z. "
        "Given again: both must hold.",
    ),
]
Letters = Annotated[
    list[str] | None,
    typer.Argument(metavar="LETTER", help="PARTITION/OFFSET of the letter, as list prints it."),
]
Edit = Annotated[
    bool,
    typer.Option("--edit", help="First open each value in $VISUAL, $EDITOR or vi."),
]
Again = Annotated[bool, typer.Option("--again", help="Also those that were put back already.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only say what would be put back, and in which partition.")
]


@app.callback()
def _group() -> None:
    """Look at what was no event, and why; mend it and put it back."""


@app.command("list")
def list_letters(
    where: Where = None,
    json: Json = False,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Print the dead letters there are, stream by stream.

    Each line has the letter's partition/offset, when it was written, the partition/offset of the
    record in orders.events, why it was no event, as which event it was put back, and how its value
    begins.
    """
    settings = load_settings(bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix)
    selection = Selection(frozenset(), read_conditions(where or []))
    perform(_list(settings, selection, json))


async def _list(settings: Settings, selection: Selection, json: bool) -> None:
    shape = dead_letter_shape(terminal_width())
    show = dead_letter_json if json else partial(dead_letter_line, shape=shape)
    count = 0
    async with patiently(open_log(settings), settings.bootstrap_servers) as reading:
        ends = await reading.ends(reading.topics.dead_letters)
        async for batch in selection.read(reading, ends):
            if batch and not count and is_terminal() and not json:
                write([dead_letter_heads(shape, painter())])
            write(map(show, batch))
            count += len(batch)
    if is_terminal():
        say(counted(count, "dead letter"))


@app.command("show")
def show(
    letter: Annotated[
        str, typer.Argument(metavar="LETTER", help="PARTITION/OFFSET, as list prints it.")
    ],
    json: Json = False,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Print all of one dead letter.

    Its value is shown whole: JSON laid out over lines, other text as it is, and what is no text
    byte by byte. Nothing in it can act on the terminal.
    """
    settings = load_settings(bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix)
    perform(_show(settings, Selection(read_places([letter]), []), json))


async def _show(settings: Settings, selection: Selection, json: bool) -> None:
    async with patiently(open_log(settings), settings.bootstrap_servers) as reading:
        (found,) = await read_all(reading, selection)
        events = reading.topics.events
    write([dead_letter_json(found)] if json else letter_view(found, events, painter()))


@app.command("replay")
def replay(
    letters: Letters = None,
    where: Where = None,
    edit: Edit = False,
    again: Again = False,
    dry_run: DryRun = False,
    json: Json = False,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Put dead letters back on the input topic.

    All that were not put back yet, or those that are named or chosen. Each goes back once, whoever
    tries, until --again is given: that is noted in Kafka, together with the event.

    Key, value and headers are the producer's own; the header replay.of names the letter. With
    --edit only those that were changed in the editor go back, and only once they are events.

    A line such as "6/0 -> 6/17" has the letter and where its event is now in orders.events.
    """
    settings = load_settings(bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix)
    selection = Selection(read_places(letters or []), read_conditions(where or []))
    run_replay(Replay(settings, selection, again, json), edit=edit, dry_run=dry_run)
