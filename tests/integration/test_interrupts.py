"""Ctrl-C at any moment ends a command without a word of Python's."""

import signal
import subprocess
import sys

import pytest

from tests.integration.process import ROOT

# What asyncio.run does first, and what comes last.
_MOMENTS = {
    "before the loop": "asyncio.runners.Runner, 'run'",
    "before the work": "asyncio.base_events.BaseEventLoop, 'create_task'",
    "after the work": "asyncio.runners.Runner, 'close'",
    "at the end": "sys, 'exit'",
}
_INTERRUPTED = """
import asyncio, os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)

def interrupt_at(place, name):
    done = getattr(place, name)
    def interrupted(*given, **named):
        result = done(*given, **named) if name == "create_task" else None
        os.kill(os.getpid(), signal.SIGINT)
        return done(*given, **named) if result is None else result
    setattr(place, name, interrupted)

interrupt_at({moment})
from processor.cli import main
main()
"""


@pytest.mark.parametrize("moment", _MOMENTS.values(), ids=_MOMENTS)
def test_ctrl_c_is_silent_also_where_nothing_can_be_cleaned_up(moment: str) -> None:
    arguments = ("list", "--bootstrap-servers", "127.0.0.1:1")
    ended = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED.format(moment=moment), *arguments],
        cwd=ROOT,
        env={"LIVE_ORDERS_CONNECT_TIMEOUT_MS": "300"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == -signal.SIGINT
    assert all(line.startswith("live-orders: ") for line in ended.stderr.splitlines())
