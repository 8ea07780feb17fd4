"""Mending the values of dead letters in the user's editor."""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from processor.cli.json_layout import indented
from processor.cli.output import say
from processor.cli.text import safe
from processor.errors import UsageError
from processor.runtime.letters import Letter
from processor.settings import editor_command
from schemas.event import Refusal, parse_event
from schemas.replay import Position

_HELP = """\
# Mend the value below, save, and leave the editor: it is put back as an event then.
# To leave this letter as it is, change nothing, or delete everything.
# Lines up here that begin with # are no part of it.
"""


def edit_letters(letters: Sequence[Letter]) -> dict[Position, bytes]:
    """Show each letter's value in an editor; the new values of those that were mended.

    Raises:
        UsageError: there is no editor, it failed, or what it left is no event and nobody is there
            to try again.
    """
    command = _editor()
    edited: dict[Position, bytes] = {}
    with tempfile.TemporaryDirectory(prefix="live-orders-") as folder:
        for letter in letters:
            try:
                text = (letter.record.value or b"").decode()
            except UnicodeDecodeError as error:
                say(
                    f"live-orders: {letter.place} cannot be edited, so it is left out: byte "
                    f"{error.start} of its value is no UTF-8; see it with: live-orders "
                    f"dead-letters show {letter.place}"
                )
                continue
            file = _file(Path(folder), letter.place)
            value = _edit(command, file, letter, indented(text) or text)
            if value is None:
                say(f"{letter.place} is as it was, so it is left out")
            else:
                edited[letter.place] = value
    return edited


def keep_edited(edited: Mapping[Position, bytes]) -> Path:
    """Write mended values where they outlive us, a file each; the folder."""
    folder = Path(tempfile.mkdtemp(prefix="live-orders-edited-"))
    for place, value in edited.items():
        _file(folder, place).write_bytes(value)
    return folder


def _file(folder: Path, place: Position) -> Path:
    return folder / f"letter-{place.partition}-{place.offset}.json"


def _editor() -> str:
    command = editor_command()
    if command is None and not sys.stdin.isatty():
        raise UsageError("--edit needs an editor: set VISUAL or EDITOR, or use it on a terminal")
    return command or "vi"


def _edit(command: str, file: Path, letter: Letter, text: str) -> bytes | None:
    """The new value, once it is an event; None when it was left as it was."""
    problem = f"{letter.said.reason}: {letter.said.detail}" if letter.said.is_ours else "unknown"
    offered = text.strip().encode()
    while True:
        heading = f"# {letter.place}: {safe(problem)}\n".encode() + _HELP.encode()
        file.write_bytes(heading + offered + b"\n")
        _run(command, file)
        value = _without_heading(file.read_bytes())
        if not value or value == offered:
            return None
        event = parse_event(value)
        if not isinstance(event, Refusal):
            return value
        problem = f"still {event.reason}: {event.detail}"
        if not sys.stdin.isatty():
            raise UsageError(f"{letter.place} is {problem}; nothing was put back, edit it again")
        offered = value


def _without_heading(content: bytes) -> bytes:
    lines = content.split(b"\n")
    while lines and lines[0].startswith(b"#"):
        del lines[0]
    return b"\n".join(lines).strip()


def _run(command: str, file: Path) -> None:
    # Through a shell, as git does: the command may have arguments.
    line = ["sh", "-c", f'{command} "$@"', command, str(file)]
    with _without_interrupts():
        done = subprocess.run(line, check=False)
    if done.returncode != 0:
        raise UsageError(
            f"the editor {safe(command)} ended with exit code {done.returncode}; nothing was put "
            "back: set VISUAL or EDITOR to one that works"
        )


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ctrl-C is the editor's while it runs."""
    # A function, for a signal that is ignored here would be ignored in the editor too.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
