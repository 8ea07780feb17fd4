"""Real ``live-orders`` processes, and real signals to them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
COMMAND = (sys.executable, "-c", "from processor.cli import main; main()")
_LIMIT_S = 60


class Running:
    """A running ``live-orders``, its output and its log in a file."""

    def __init__(self, environment: Mapping[str, str], log: Path, *arguments: str) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [*COMMAND, *arguments],
                cwd=ROOT,
                env={**os.environ, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return self._log.read_text()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """kill -9, and make sure that it is gone."""
        self._process.kill()
        self._process.wait()

    def wait(self, timeout_s: float = _LIMIT_S) -> int:
        """Its exit code, once it ends."""
        return self._process.wait(timeout_s)

    def wait_for(self, text: str, *, times: int = 1) -> None:
        """Wait until it has logged a text."""
        deadline = time.monotonic() + _LIMIT_S
        while self.log.count(text) < times:
            assert self._process.poll() is None, f"it ended before {text!r}:\n{self.log}"
            assert time.monotonic() < deadline, f"never logged {text!r}:\n{self.log}"
            time.sleep(0.02)

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None


@contextmanager
def processor(environment: Mapping[str, str], log: Path) -> Iterator[Running]:
    """A processor that does not outlive the block."""
    with started(environment, log, "run") as running:
        yield running


@contextmanager
def started(environment: Mapping[str, str], log: Path, *arguments: str) -> Iterator[Running]:
    """A ``live-orders`` command that does not outlive the block."""
    running = Running(environment, log, *arguments)
    try:
        yield running
    finally:
        if running.alive:
            running.signal(signal.SIGCONT)
            running.kill()


def command(
    environment: Mapping[str, str], *arguments: str, stdin: str = "", through: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``live-orders`` to its end, its output through another command if one is named.

    The exit code is that of ``live-orders``.
    """
    line = [*COMMAND, *arguments]
    if through is not None:
        line = ["bash", "-c", f'"$@" | {through}; exit "${{PIPESTATUS[0]}}"', "bash", *line]
    return subprocess.run(
        line,
        cwd=ROOT,
        env={**os.environ, **environment},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )
