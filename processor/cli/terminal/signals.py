"""Running a command's work, until it is done, interrupted, or nobody reads its output."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import typer

from processor.cli.terminal.output import discard_output

Result = TypeVar("Result")


class _Interrupted(Exception):
    """Ctrl-C, once the work is cleaned up."""


def perform(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a command's work; its result.

    Raises:
        typer.Exit: with 130 after Ctrl-C, 143 after SIGTERM, 0 when the reader of a pipe is gone.
    """
    try:
        return asyncio.run(_until_terminated(work))
    except (_Interrupted, KeyboardInterrupt):
        raise typer.Exit(128 + signal.SIGINT) from None
    except asyncio.CancelledError:
        raise typer.Exit(128 + signal.SIGTERM) from None
    except BrokenPipeError:
        discard_output()
        raise typer.Exit(0) from None


def serve(work: Coroutine[Any, Any, None]) -> signal.Signals | None:
    """Run what a signal ends; the one that interrupted it, or None when it came to its end.

    The signal cancels it once. Later ones change nothing: what cleans up comes to its end.

    Raises:
        typer.Exit: with 0 when the reader of a pipe is gone.
    """
    try:
        return asyncio.run(_until_signalled(work))
    except BrokenPipeError:
        discard_output()
        raise typer.Exit(0) from None


async def _until_signalled(work: Coroutine[Any, Any, None]) -> signal.Signals | None:
    running = asyncio.ensure_future(work)
    received: list[signal.Signals] = []

    def on_signal(number: signal.Signals) -> None:
        received.append(number)
        if len(received) == 1:
            running.cancel()

    if sys.platform != "win32":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, on_signal, number)
    try:
        await running
    except asyncio.CancelledError:
        if not received:
            raise
        return received[0]
    except OSError:
        if signal.SIGHUP not in received:  # with the terminal gone nothing can be written
            raise
        return signal.SIGHUP
    return None


async def _until_terminated(work: Coroutine[Any, Any, Result]) -> Result:
    """SIGTERM and Ctrl-C end the work: what it opened is closed, the cursor shown again."""
    loop = asyncio.get_running_loop()
    running = asyncio.current_task()
    if running is None:
        raise AssertionError("a coroutine runs in a task")
    if sys.platform != "win32":
        loop.add_signal_handler(signal.SIGTERM, running.cancel)
    with _interrupting(running.cancel, loop) as interrupted:
        try:
            return await work
        except asyncio.CancelledError:
            if interrupted.is_set():
                raise _Interrupted from None
            raise


@contextmanager
def _interrupting(
    cancel: Callable[[], object], loop: asyncio.AbstractEventLoop
) -> Iterator[asyncio.Event]:
    """Ctrl-C cancels, once; a second one does not wait for what cleans up.

    Not asyncio.run's own handler: that one begins only after the work does, and what comes in
    between leaves the work half begun. Nor one of the loop's: it would wait for a write that hangs.
    """
    interrupted = asyncio.Event()
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:  # started in the background of a script
        yield interrupted
        return

    def on_interrupt(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        interrupted.set()
        cancel()
        loop.call_soon_threadsafe(lambda: None)  # it may be asleep

    signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)
