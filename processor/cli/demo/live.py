"""The live part: a small market, and a table that follows it."""

import asyncio
import random
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Final, NoReturn

from rich.console import Console
from rich.live import Live

from processor.app.connect import new_id
from processor.app.produce import EventSink
from processor.app.read import Reading
from processor.cli.render.live_board import LiveBoard
from processor.cli.render.live_table import live_table
from processor.cli.terminal.background import Background, beside, in_background
from processor.cli.terminal.following import Following
from processor.cli.terminal.market_flow import send_steadily
from processor.market import Market, WireEvent
from processor.reader.view_change import ViewChange
from processor.task.clock import SystemClock
from processor.wire.answer import parse_answer
from processor.wire.record import InputRecord

USERS: Final = 40
RATE: Final = 30
_MAX_LIVE: Final = 150
_FRAME_S: Final = 0.25


async def run_live(
    reading: Reading, producer: EventSink, servers: str, background: Sequence[Background]
) -> NoReturn:
    """Run a small market, with a table of it, for ever."""
    watch = reading.watch()
    board = LiveBoard(reading.num_streams, await watch.read())
    answers = await reading.ends(reading.topics.results)
    offsets = {stream: bounds.end for stream, bounds in answers.items()}
    audience = _Board(servers, board)
    async with in_background(
        watch.follow(audience),
        reading.follow(reading.topics.results, offsets, audience),
        send_steadily(_events(), producer, RATE),
    ) as flows:
        await beside(_draw(board), *flows, *background)
    raise AssertionError("drawing never ends")


def _events() -> Iterator[WireEvent]:
    market = Market(random.Random(), new_id()[:6], users=USERS, max_live=_MAX_LIVE)
    clock = SystemClock()
    for _ in count():
        yield market.next_event(clock.now_us())


async def _draw(board: LiveBoard) -> NoReturn:
    console = Console(highlight=False)
    now = asyncio.get_running_loop().time
    with Live(console=console, auto_refresh=False, redirect_stdout=False) as live:
        size = console.size
        while True:
            if console.size != size:
                # What was drawn for another width may be wrapped now: begin on a clean page.
                size = console.size
                console.clear()
            board.tick(now())
            live.update(live_table(board, size.width, size.height), refresh=True)
            await asyncio.sleep(_FRAME_S)


class _Board(Following):
    """A `Watcher` of changes and an `Audience` for answers; both go on the board."""

    def __init__(self, servers: str, board: LiveBoard) -> None:
        super().__init__(servers)
        self._board = board

    def on_change(self, stream: int, change: ViewChange, timestamp_ms: int | None) -> None:
        """Part of `Watcher`."""
        self._board.on_change(stream, change, timestamp_ms)

    def on_records(self, partition: int, records: Sequence[InputRecord]) -> None:
        """Part of `Audience`."""
        for record in records:
            answer = parse_answer(record.value or b"")
            self._board.on_answer(partition, rejected=answer["result"] == "rejected")
