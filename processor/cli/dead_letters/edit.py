"""Mending the values of dead letters in the user's editor."""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import typer

from processor.cli.render.json_layout import compacted, indented
from processor.cli.render.text import safe
from processor.cli.terminal.output import say
from processor.core.replay import put_back
from processor.errors import UsageError
from processor.reader.dead_letters import Letter
from processor.settings import editor_command
from processor.wire.replay import Position

_INTERRUPTED: Final = 128 + signal.SIGINT

_HELP = """\
# Mend the value below, save, and leave the editor: it is put back as an event then.
# To leave this letter as it is, change nothing, or delete everything.
# Lines up here that begin with # are no part of it.
"""


@dataclass(slots=True)
class Edited:
    """Edited letters: the events to put back, and all that is not put back yet."""

    events: dict[Position, bytes] = field(default_factory=dict)
    unsent: dict[Position, bytes] = field(default_factory=dict)

    def kept(self) -> str:
        """Write what is not put back where it outlives us, a file each; a sentence that says so."""
        folder = Path(tempfile.mkdtemp(prefix="live-orders-edited-"))
        for place, value in self.unsent.items():
            _file(folder, place).write_bytes(value)
        return f"what was edited is kept in {folder}"


def edit_letters(letters: Sequence[Letter], max_event_bytes: int, edited: Edited) -> None:
    """Show each letter's value in an editor, and take down what is made of it.

    Args:
        letters: what to show.
        max_event_bytes: what the processor takes.
        edited: gets what was mended; at any time, so that nothing is lost with an error.

    Raises:
        UsageError: there is no editor, it failed, or what it left is no event and nobody is there
            to try again.
        typer.Exit: with 130 after Ctrl-C in the editor.
    """
    command = _editor()
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
            editing = _Editing(command, _file(Path(folder), letter.place), letter, max_event_bytes)
            editing.edit((indented(text) or text).strip().encode(), edited)


def _file(folder: Path, place: Position) -> Path:
    return folder / f"letter-{place.partition}-{place.offset}.json"


def _editor() -> str:
    command = editor_command()
    if command is None and not sys.stdin.isatty():
        raise UsageError("--edit needs an editor: set VISUAL or EDITOR, or use it on a terminal")
    return command or "vi"


@dataclass(frozen=True, slots=True)
class _Editing:
    """One letter in the editor."""

    command: str
    file: Path
    letter: Letter
    max_event_bytes: int

    def edit(self, original: bytes, edited: Edited) -> None:
        """Ask for a new value until it is an event, or the user leaves it."""
        said, place = self.letter.said, self.letter.place
        problem = f"{said.reason}: {said.detail}" if said.is_ours else "unknown"
        offered = original
        while True:
            value = self._ask(offered, problem)
            if value in (b"", original):
                edited.unsent.pop(place, None)
                say(f"{place} is as it was, so it is left out")
                return
            if value == offered:
                say(f"{place} is {problem}; it is left out")
                return
            edited.unsent[place] = offered = value
            found = self._problem(value)
            if not found:
                edited.events[place] = compacted(value.decode()).encode()
                return
            problem = f"still {found}"
            if not sys.stdin.isatty():
                raise UsageError(f"{place} is {problem}; nothing was put back, edit it again")

    def _ask(self, offered: bytes, problem: str) -> bytes:
        """The value after editing; nothing when the editor leaves nothing."""
        heading = f"# {self.letter.place}: {safe(problem)}\n".encode() + _HELP.encode()
        self.file.write_bytes(heading + offered + b"\n")
        _run(self.command, self.file)
        try:
            return _without_heading(self.file.read_bytes())
        except FileNotFoundError:
            return b""

    def _problem(self, value: bytes) -> str:
        """Why the processor would refuse a value; nothing when it is an event."""
        return put_back(
            self.letter.place,
            self.letter.record,
            self.letter.said,
            edited=value,
            num_streams=1,
            max_event_bytes=self.max_event_bytes,
        ).problem


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
    if done.returncode in (-signal.SIGINT, _INTERRUPTED):
        say("live-orders: interrupted in the editor, so nothing was put back")
        raise typer.Exit(_INTERRUPTED)
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
