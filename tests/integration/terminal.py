"""``live-orders`` on a terminal: a real process with a pseudo-terminal for its three streams."""

import os
import pty
import select
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.integration.process import COMMAND, ROOT

_LIMIT_S = 60
CTRL_C = b"\x03"


class Terminal:
    """A command on a terminal."""

    def __init__(self, environment: Mapping[str, str], *arguments: str) -> None:
        plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        self._pid, self._file = pty.fork()
        if self._pid == 0:
            os.chdir(ROOT)
            # As on any terminal, also when the tests run in the background of a script.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            command = [*COMMAND, *arguments]
            os.execvpe(command[0], command, {**plain, "TERM": "xterm", **environment})
        self.shown = ""
        self.exit_code: int | None = None

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._file, keys)

    def wait_for(self, text: str) -> None:
        """Wait until a text is shown."""
        deadline = time.monotonic() + _LIMIT_S
        while text not in self.shown:
            assert self._read(), f"it ended before {text!r}:\n{self.shown}"
            assert time.monotonic() < deadline, f"never showed {text!r}:\n{self.shown}"

    def wait(self) -> int:
        """Its exit code, once it ends."""
        deadline = time.monotonic() + _LIMIT_S
        while self._read():
            assert time.monotonic() < deadline, f"it never ended:\n{self.shown}"
        return self._end()

    def close(self) -> None:
        """End it, if it still runs."""
        if self.exit_code is None:
            os.kill(self._pid, 9)
            self._end()
        os.close(self._file)

    def _end(self) -> int:
        _, status = os.waitpid(self._pid, 0)
        self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code

    def _read(self) -> bool:
        """Take what is shown next, if anything is soon; False at the end."""
        if not select.select([self._file], [], [], 0.1)[0]:
            return True
        try:
            block = os.read(self._file, 65_536)
        except OSError:
            return False
        self.shown += block.decode(errors="replace")
        return bool(block)


@contextmanager
def terminal(environment: Mapping[str, str], *arguments: str) -> Iterator[Terminal]:
    """A command on a terminal that does not outlive the block."""
    running = Terminal(environment, *arguments)
    try:
        yield running
    finally:
        running.close()
