"""How far ``produce`` is, on a terminal."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

# Of lines between two looks at the clock.
_EVERY_LINES = 512


class ProduceProgress:
    """A progress bar on standard error when that is a terminal, else nothing."""

    def __init__(self, total_bytes: int | None, *, shown: bool = True) -> None:
        """A bar for so many bytes, or a counter when nobody knows how many."""
        console = Console(stderr=True)
        sizes = (
            (BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
            if total_bytes
            else (TimeElapsedColumn(),)
        )
        words = TextColumn("{task.fields[events]:,} events, {task.fields[rate]:,.0f} events/s")
        self._bar = Progress(
            SpinnerColumn(),
            words,
            *sizes,
            console=console,
            transient=True,
            disable=not (shown and console.is_terminal),
        )
        self._task = self._bar.add_task("", total=total_bytes, events=0, rate=0.0)
        self._lines = 0
        self._bytes = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def on_line(self, line_bytes: int, acknowledged: int) -> None:
        """One more line was read; so many events are acknowledged by now."""
        if self._bar.disable:
            return
        self._lines += 1
        self._bytes += line_bytes + 1  # the line's end
        if self._lines % _EVERY_LINES == 0:
            self.show(acknowledged)

    def show(self, acknowledged: int) -> None:
        """Bring the bar up to date."""
        elapsed_s = self._bar.tasks[0].elapsed or 0
        rate = acknowledged / elapsed_s if elapsed_s else 0.0
        self._bar.update(self._task, completed=self._bytes, events=acknowledged, rate=rate)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()
