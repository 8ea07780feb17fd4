"""The embedded broker that tests start: it outlives their Ctrl-C, but not them."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.process import ROOT
from tests.waiting import eventually

pytestmark = pytest.mark.kafka

# As a test does: it notices Ctrl-C, and needs the broker once more before it ends.
_A_TEST = """
import signal, socket, sys
from tests.embedded import run_broker
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background of a script
with run_broker("--port=0") as broker:
    try:
        print(broker.port, flush=True)
        sys.stdin.read()
    except KeyboardInterrupt:
        socket.create_connection(("127.0.0.1", broker.port)).close()
        print("it answers", flush=True)
"""


def _somebody_listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def _a_test() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process group with a test in it, as a terminal has, and its broker's port."""
    running = subprocess.Popen(
        [sys.executable, "-c", _A_TEST],
        cwd=ROOT,
        start_new_session=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    try:
        yield running, int(running.stdout.readline())
    finally:
        running.kill()
        running.communicate()


async def test_it_answers_until_an_interrupted_test_has_cleaned_up(embedded_bootstrap: str) -> None:
    with _a_test() as (running, port):
        os.killpg(running.pid, signal.SIGINT)
        assert running.communicate(timeout=30)[0] == "it answers\n"
        assert running.returncode == 0
        assert not _somebody_listens(port)


async def test_it_does_not_outlive_tests_that_are_killed(embedded_bootstrap: str) -> None:
    with _a_test() as (running, port):
        assert _somebody_listens(port)
        running.kill()
        await eventually(lambda: not _somebody_listens(port), what="the broker's end")
