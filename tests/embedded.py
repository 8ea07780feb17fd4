"""The embedded broker as a process of its own, as a user would start it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
# In a session of its own, for Ctrl-C is for the tests: they still delete their topics. So it would
# outlive them when they are killed, were it not for the end of its standard input.
_UNTIL_ITS_INPUT_ENDS = """
import os, signal, threading

def watch():
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=watch, daemon=True).start()
from processor.cli import main; main()
"""
_COMMAND = (sys.executable, "-c", _UNTIL_ITS_INPUT_ENDS, "broker")
_LIMIT_S = 15


class BrokerCommand:
    """``live-orders broker``, started; ``servers`` is its address, empty if it did not start."""

    def __init__(self, *options: str) -> None:
        # Not a pipe of Popen's, whose communicate() would end it.
        its_input, self._our_end = os.pipe()
        self._process = subprocess.Popen(
            [*_COMMAND, *options],
            cwd=_ROOT,
            start_new_session=True,
            stdin=its_input,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.close(its_input)
        assert self._process.stdout is not None
        self.servers = self._process.stdout.readline().strip()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.servers.rpartition(":")[2])

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal; its exit code."""
        self._process.send_signal(number)
        return self._process.wait(_LIMIT_S)

    def last_words(self) -> tuple[int, str]:
        """The exit code and standard error of one that ends by itself, or was told to."""
        complaint = self._process.communicate(timeout=_LIMIT_S)[1]
        return self._process.returncode, complaint

    def complaint(self) -> str:
        """The last line of what one that did not start said."""
        return (self.last_words()[1].splitlines() or ["nothing"])[-1]

    def close(self) -> None:
        """Stop it if it still runs."""
        if self._process.poll() is None:
            self.end()
        self._process.communicate()
        os.close(self._our_end)


@contextmanager
def run_broker(*options: str) -> Iterator[BrokerCommand]:
    """One that does not outlive the block."""
    broker = BrokerCommand(*options)
    try:
        yield broker
    finally:
        broker.close()
