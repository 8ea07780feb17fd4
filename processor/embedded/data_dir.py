"""One broker for each data directory: two would ruin it."""

import sys
from pathlib import Path
from typing import BinaryIO

from processor.errors import UsageError


def hold(data_dir: Path) -> BinaryIO:
    """Make the directory and hold it until the file is closed, by all who inherited it too.

    Raises:
        UsageError: another broker has it, or it cannot be made.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        file = (data_dir / "in-use").open("wb")
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}; name another --data-dir") from None
    try:
        _lock(file)
    except BlockingIOError:
        file.close()
        raise UsageError(
            f"{data_dir} is used by another broker: stop that one, or name another --data-dir"
        ) from None
    return file


def _lock(file: BinaryIO) -> None:
    if sys.platform != "win32":
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
