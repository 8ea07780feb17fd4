"""Logging of a process that runs for long."""

import logging
import sys
import time

_QUIET_S = 10.0


class _OncePer(logging.Filter):
    """Lets one record through, and then none for a while."""

    def __init__(self, quiet_s: float) -> None:
        super().__init__()
        self._quiet_s = quiet_s
        self._last = -quiet_s

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        if now - self._last < self._quiet_s:
            return False
        self._last = now
        return True


def log_to_stderr(verbose: bool) -> None:
    """Log to standard error."""
    _log_to_stderr("processor", "", logging.DEBUG if verbose else logging.INFO)


def log_library_to_stderr(verbose: bool) -> None:
    """Log what the client library says, too.

    What it calls an error is mostly one that it retries, ten times a second while a broker is
    away: one line in ten seconds says enough. Not before we are connected: a broker that is not
    there at the start is our own sentence.
    """
    library = _log_to_stderr("aiokafka", "aiokafka: ", logging.INFO if verbose else logging.ERROR)
    if not verbose:
        library.addFilter(_OncePer(_QUIET_S))


def _log_to_stderr(name: str, prefix: str, level: int) -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(f"%(asctime)s %(levelname)s {prefix}%(message)s"))
    logger = logging.getLogger(name)
    logger.setLevel(level)
    logger.addHandler(handler)
    return handler
