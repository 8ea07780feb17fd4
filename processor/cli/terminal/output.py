"""Standard output and standard error, as people and pipes want them."""

import io
import os
import select
import shutil
import sys
from collections.abc import Callable, Iterable

import typer
from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style

from processor.cli.render.text import safe_lines
from processor.errors import UsageError

Paint = Callable[[str, str], str]
"""Gives text a style, such as ``green``."""


def plain(text: str, _style: str) -> str:
    """A `Paint` without colours."""
    return text


def _coloured(text: str, style: str) -> str:
    return Style.parse(style).render(text, color_system=ColorSystem.STANDARD)


def prepare_streams() -> None:
    """Make standard output and standard error take any text, whatever they are."""
    # One that was closed (>&-) is None.
    sys.stdout = sys.stdout or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    sys.stderr = sys.stderr or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets its escape.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def painter() -> Paint:
    """How standard output takes colours: not at all in a pipe, or with NO_COLOR."""
    console = Console()
    return _coloured if console.color_system and not console.no_color else plain


def is_terminal() -> bool:
    """Whether standard output is a terminal."""
    return sys.stdout.isatty()


def terminal_width() -> int | None:
    """How wide standard output is; None if it is no terminal, or one that does not know."""
    columns = shutil.get_terminal_size((0, 0)).columns if is_terminal() else 0
    return columns or None


def write(lines: Iterable[str]) -> None:
    """Write lines to standard output, at once.

    Raises:
        BrokenPipeError: nobody reads any more.
        UsageError: they cannot be written.
    """
    text = "".join(f"{line}\n" for line in lines)
    if not text:
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_output()
        raise UsageError(
            f"cannot write to standard output: {error.strerror}; send it somewhere else"
        ) from error


def say(text: str) -> None:
    """Write a message to standard error."""
    typer.echo(safe_lines(text), err=True)


def require_reader() -> None:
    """Notice that whoever read our pipe is gone, also when there is nothing to write.

    Raises:
        BrokenPipeError: nobody reads any more.
    """
    if not hasattr(select, "poll"):
        return
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    if any(event & (select.POLLERR | select.POLLNVAL) for _, event in poll.poll(0)):
        raise BrokenPipeError


def discard_output() -> None:
    """Let nothing more be written where nobody reads."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
