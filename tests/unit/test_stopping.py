"""What ``run`` says when it is told to stop, and how it ends when something hangs."""

import asyncio
import logging
import signal

import pytest

from processor.cli.terminal.stopping import Stopping
from tests.waiting import eventually

_NEXT = (
    "nothing is lost: whoever has a stream next aborts what it had open and goes on from its "
    "last commit"
)


class Streams:
    """What there is to finish; tests say when it is."""

    def __init__(self, *unfinished: int) -> None:
        self.unfinished = list(unfinished)
        self.told = 0

    def stop(self) -> None:
        """Part of `Work`."""
        self.told += 1


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What is logged, from INFO on."""
    caplog.set_level(logging.INFO)
    return caplog


def said(log: pytest.LogCaptureFixture) -> list[str]:
    """The lines with their levels."""
    return [f"{one.levelname} {one.message}" for one in log.records]


async def test_it_says_that_it_was_told_to_stop_and_that_it_has(
    log: pytest.LogCaptureFixture,
) -> None:
    stopping, streams = Stopping(), Streams(3)
    stopping.opened(streams)
    stopping.on_signal(signal.SIGTERM)
    streams.unfinished.clear()
    stopping.ended()
    assert streams.told == 1
    assert said(log) == [
        "INFO told to stop by SIGTERM",
        "INFO stopped; all that was begun is finished",
    ]


async def test_a_second_signal_changes_nothing(log: pytest.LogCaptureFixture) -> None:
    stopping, streams = Stopping(), Streams()
    stopping.opened(streams)
    stopping.on_signal(signal.SIGINT)
    stopping.on_signal(signal.SIGTERM)
    assert streams.told == 1
    assert said(log) == ["INFO told to stop by SIGINT"]


async def test_one_that_ends_untold_says_nothing(log: pytest.LogCaptureFixture) -> None:
    stopping = Stopping()
    stopping.opened(Streams())
    stopping.ended()
    assert said(log) == []


async def test_what_was_cut_short_is_named(log: pytest.LogCaptureFixture) -> None:
    stopping = Stopping()
    stopping.opened(Streams(1, 3))
    stopping.on_signal(signal.SIGTERM)
    stopping.ended()
    assert said(log)[1:] == [f"WARNING stopped with streams 1, 3 unfinished; {_NEXT}"]


@pytest.mark.parametrize(
    ("unfinished", "what"), [((7,), "stream 7"), ((), "closing the connections to Kafka")]
)
async def test_what_hangs_is_named_before_the_process_is_gone(
    log: pytest.LogCaptureFixture, unfinished: tuple[int, ...], what: str
) -> None:
    codes: list[int] = []
    stopping = Stopping(timeout_s=0.02, exit_process=codes.append)
    stopping.opened(Streams(*unfinished))
    stopping.on_signal(signal.SIGTERM)
    await eventually(lambda: codes == [143], what="the end of the process")
    assert said(log)[1:] == [
        f"ERROR cut short 0.02 s after SIGTERM with {what} unfinished; {_NEXT}"
    ]


async def test_told_before_it_has_begun_it_does_not_begin() -> None:
    listening = asyncio.Event()

    async def open_for_ever() -> None:
        stopping = Stopping()
        asyncio.get_running_loop().call_soon(stopping.on_signal, signal.SIGTERM)
        listening.set()
        await asyncio.Event().wait()

    opening = asyncio.create_task(open_for_ever())
    await listening.wait()
    await asyncio.wait([opening], timeout=10)
    assert opening.cancelled()
