"""The commands, put together, and how errors become exit codes."""

import logging
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from processor.cli import live, produce, results, run, topics
from processor.errors import LiveOrdersError

app = typer.Typer(
    name="live-orders",
    help="Crypto order events in, live orders out: exactly once, on Kafka.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(topics.app, name="topics")
app.command("run")(run.run)
app.command("produce")(produce.produce)
app.command("results")(results.results)
app.command("list")(live.list_orders)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"live-orders {version('live-orders')}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Crypto order events in, live orders out: exactly once, on Kafka."""


def main() -> None:
    """Run the command line; errors end as one sentence and an exit code."""
    # What aiokafka calls an error is mostly one that it retries; we say what follows from it.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        app()
    except LiveOrdersError as error:
        typer.echo(f"live-orders: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has enough.
        sys.stderr.close()
        sys.exit(0)
