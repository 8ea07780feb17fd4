"""The processor, in this process: it cannot outlive the demo."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from processor.app.run import open_processor
from processor.cli.terminal.background import Background
from processor.cli.terminal.output import say, write
from processor.errors import LiveOrdersError
from processor.settings import Settings

_LAST_LINES = 10


@asynccontextmanager
async def a_processor(settings: Settings) -> AsyncIterator[Background]:
    """A processor at work; it finishes its batches and leaves the group after the block."""
    with _log_kept():
        async with open_processor(settings) as supervisor:
            working = asyncio.create_task(supervisor.run())
            write([f"processor  at work, as {settings.app_id}"])
            try:
                yield working
            finally:
                supervisor.stop()
                await working
                write(["processor  stopped"])


@contextmanager
def _log_kept() -> Iterator[None]:
    """Keep the end of its log from the terminal, and show it if the processor fails."""
    kept = _Kept()
    logger = logging.getLogger("processor")
    logger.setLevel(logging.INFO)
    logger.addHandler(kept)
    logger.propagate = False
    try:
        yield
    except LiveOrdersError:
        say("\n".join(kept.lines))
        raise
    finally:
        logger.removeHandler(kept)


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        self.lines: deque[str] = deque(maxlen=_LAST_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))
