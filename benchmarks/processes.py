"""Child processes."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from benchmarks import proc, topics
from benchmarks.target import ROOT, Target
from processor.settings import Settings

_RUNNING_LIMIT_S = 300
_LINE_LIMIT_S = 30

Report = dict[str, Any]
"""Figures of `benchmarks.measured`."""


class Child:
    """A processor in a process of its own: `benchmarks.measured`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def cpu_s(self) -> float:
        """Seconds of CPU that it has used."""
        return proc.cpu_s(self._process.pid)

    @property
    def resident_bytes(self) -> int:
        """The resident set."""
        return proc.memory_bytes(self._process.pid)

    @property
    def peak_bytes(self) -> int:
        """The most that the resident set has been."""
        return proc.memory_bytes(self._process.pid, "VmHWM")

    @property
    def descriptors(self) -> int:
        """How many files and sockets it has open."""
        return proc.descriptors(self._process.pid)

    async def running(self) -> float:
        """Wait until all streams run for the first time; when that was, in monotonic seconds."""
        report = await self._line(_RUNNING_LIMIT_S)
        return float(report["running_ns"]) / 1e9

    async def report(self) -> Report:
        """Its figures up to now; all streams must have been waited for."""
        self._process.send_signal(signal.SIGUSR1)
        return await self._line(_LINE_LIMIT_S)

    async def stop(self) -> Report:
        """End it with SIGTERM; its figures."""
        self._process.send_signal(signal.SIGTERM)
        output, _ = await self._process.communicate()
        if self._process.returncode:
            raise SystemExit(f"the processor ended with {self._process.returncode}")
        report: Report = json.loads(output.splitlines()[-1])
        return report

    async def _line(self, limit_s: float) -> Report:
        assert self._process.stdout is not None
        async with asyncio.timeout(limit_s):
            line = await self._process.stdout.readline()
        if not line:
            raise SystemExit(f"the processor ended with {await self._process.wait()}")
        report: Report = json.loads(line)
        return report


@asynccontextmanager
async def processor(target: Target, settings: Settings, num_streams: int) -> AsyncIterator[Child]:
    """The target's processor, measured."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # the only package `processor` is the target's
        str(ROOT / "benchmarks" / "measured.py"),
        str(num_streams),
        cwd=target.tree,
        env={**os.environ, **topics.environment(settings), "PYTHONPATH": str(target.tree)},
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
        sys.executable, "-m", *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise SystemExit(f"{arguments[0]} ended with {process.returncode}")
    return output.decode()
