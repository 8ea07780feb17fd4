"""How ``live-orders run`` is told to stop, and what it says about its end."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from typing import Final, Protocol

_log = logging.getLogger(__name__)

EXIT_TIMEOUT_S: Final = 9.5
"""The longest time to stop: shorter than the one after which the process would be killed."""


class Work(Protocol):
    """Work to finish: a `Supervisor`."""

    @property
    def unfinished(self) -> list[int]:
        """The streams that are not finished."""

    def stop(self) -> None:
        """Begin to finish them."""


class Stopping:
    """The orderly end that the first signal begins; later ones change nothing.

    Made in the task that opens the processor and then runs it.
    """

    def __init__(
        self,
        timeout_s: float = EXIT_TIMEOUT_S,
        exit_process: Callable[[int], object] = os._exit,
    ) -> None:
        self._timeout_s = timeout_s
        self._exit_process = exit_process
        self._opening = asyncio.current_task()
        self._work: Work | None = None
        self._signal: signal.Signals | None = None

    def listen(self) -> None:
        """Take SIGTERM and SIGINT from now on."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.on_signal, number)

    def opened(self, work: Work) -> None:
        """From now on there is something to finish."""
        self._work = work

    def on_signal(self, number: signal.Signals) -> None:
        """Begin to stop."""
        if self._signal is not None:
            return
        self._signal = number
        _log.info("told to stop by %s", number.name)
        asyncio.get_running_loop().call_later(self._timeout_s, self._give_up, number)
        if self._work is not None:
            self._work.stop()
        elif self._opening is not None:
            self._opening.cancel()

    def ended(self) -> None:
        """Say how it went, if a signal was the reason."""
        if self._signal is None:
            return
        if unfinished := self._unfinished():
            _log.warning("stopped with %s unfinished; %s", unfinished, _NOTHING_IS_LOST)
        else:
            _log.info("stopped; all that was begun is finished")

    def _give_up(self, number: signal.Signals) -> None:
        what = self._unfinished() or "closing the connections to Kafka"
        _log.error(
            "cut short %g s after %s with %s unfinished; %s",
            self._timeout_s,
            number.name,
            what,
            _NOTHING_IS_LOST,
        )
        self._exit_process(128 + number)

    def _unfinished(self) -> str:
        streams = [] if self._work is None else self._work.unfinished
        if not streams:
            return ""
        return f"stream{'s' * (len(streams) > 1)} {', '.join(map(str, streams))}"


_NOTHING_IS_LOST: Final = (
    "nothing is lost: whoever has a stream next aborts what it had open and goes on from its last "
    "commit"
)
