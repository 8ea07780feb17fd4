"""The commands, put together, and how errors become exit codes."""

import logging
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from processor.cli import demo
from processor.cli.commands import (
    broker,
    list_orders,
    market,
    produce,
    results,
    run,
    topics,
    watch,
)
from processor.cli.dead_letters import command as dead_letters
from processor.cli.terminal.output import prepare_streams, say
from processor.cli.terminal.unknown_settings import name_misspelt, naming_misspelt
from processor.errors import LiveOrdersError

_NAME = "live-orders"

app = typer.Typer(
    name=_NAME,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command("demo")(naming_misspelt(demo.demo))
app.command("run")(run.run)  # says it in its log
app.command("produce")(naming_misspelt(produce.produce))
app.command("list")(naming_misspelt(list_orders.list_orders))
app.command("watch")(naming_misspelt(watch.watch))
app.command("results")(naming_misspelt(results.results))
app.command("market")(naming_misspelt(market.market))
app.command("broker")(broker.broker)  # reads none
app.add_typer(dead_letters.app, name="dead-letters", callback=name_misspelt)
app.add_typer(topics.app, name="topics", callback=name_misspelt)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"{_NAME} {version(_NAME)}")
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
    """Crypto order events in, live orders out: exactly once, on Kafka.

    Every setting is a flag, an environment variable LIVE_ORDERS_NAME, or a line of .env; flags win
    over the environment, the environment over .env.
    """


def run_command_line() -> int:
    """Run the command line; errors end as one sentence and an exit code."""
    # What aiokafka calls an error is mostly one that it retries; we say what follows from it.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    prepare_streams()
    _name_env_file()
    try:
        return app(prog_name=_NAME, standalone_mode=False) or 0
    except LiveOrdersError as error:
        say(f"{_NAME}: {error}")
        return error.exit_code
    except typer.TyperException as error:
        return _wrong_use(error)
    except typer.Abort:
        return 1


def _name_env_file() -> None:
    """A line of .env that is no NAME=VALUE is left out: say that it is in that file."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(f"{_NAME}: .env: %(message)s"))
    logging.getLogger("dotenv").addHandler(handler)


def _wrong_use(error: typer.TyperException) -> int:
    """Say what is wrong with the arguments, and where to read what is right."""
    message = error.format_message()
    if message.startswith("Usage:"):  # no command was named: it is the help
        say(message)
        return error.exit_code
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else _NAME
    message = message.rstrip(".")
    see = " See" if message.endswith("?") else "; see"
    say(f"{_NAME}: {message[:1].lower()}{message[1:]}{see}: {command} --help")
    return error.exit_code
