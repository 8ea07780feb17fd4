"""Child processes."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent


class Child:
    """A processor in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def resident_bytes(self) -> int:
        """The resident set, from /proc."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024

    async def stop(self) -> str:
        """End it with SIGTERM; what it printed."""
        self._process.send_signal(signal.SIGTERM)
        output, _ = await self._process.communicate()
        if self._process.returncode:
            raise SystemExit(f"the processor ended with {self._process.returncode}")
        return output.decode()


@asynccontextmanager
async def child(arguments: Sequence[str], **settings: str) -> AsyncIterator[Child]:
    """``python -m`` with arguments, and LIVE_ORDERS_ settings in its environment."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *arguments,
        cwd=_ROOT,
        env={**os.environ, **settings},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Child(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def run(arguments: Sequence[str]) -> str:
    """``python -m`` to its end; what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, cwd=_ROOT, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"{arguments[0]} ended with {process.returncode}")
    return output.decode()
