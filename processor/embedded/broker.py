"""Running the embedded broker."""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from processor.embedded.data_dir import hold
from processor.embedded.program import find_program
from processor.errors import UsageError

_PORT_TAKEN: Final = 3
_STOP_TIMEOUT_S: Final = 5


@dataclass(frozen=True, slots=True)
class EmbeddedBroker:
    """One that runs.

    Attributes:
        servers: its address, host:port.
        ended: its exit code, once it ends.
    """

    servers: str
    ended: "asyncio.Task[int]"


@asynccontextmanager
async def embedded_broker(
    port: int = 0, data_dir: Path | None = None
) -> AsyncIterator[EmbeddedBroker]:
    """A broker that answers, for as long as the block runs; it dies with this process, too.

    Args:
        port: where on 127.0.0.1 it listens; 0 is any free port below 32768.
        data_dir: where it keeps its data; None is in memory.

    Raises:
        UsageError: it cannot be built or started, and why.
    """
    program = await find_program()
    with ExitStack() as held:
        arguments, inherited = [f"-port={port}"], []
        if data_dir is not None:
            arguments.append(f"-data-dir={data_dir}")
            inherited.append(held.enter_context(hold(data_dir)).fileno())
        process = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            stdin=PIPE,  # it ends when this does
            stdout=PIPE,
            pass_fds=inherited,
            start_new_session=True,  # Ctrl-C is for us: we stop it last
        )
        ended = asyncio.create_task(process.wait())
        try:
            yield EmbeddedBroker(await _address(process, port), ended)
        finally:
            await _stop(process, ended)


async def _address(process: Process, port: int) -> str:
    """The line that it prints once it answers."""
    if process.stdout is None:
        raise AssertionError("its standard output is a pipe")
    line = await process.stdout.readline()
    if line:
        return line.decode().strip()
    if await process.wait() == _PORT_TAKEN:
        raise UsageError(
            f"port {port} of 127.0.0.1 is used by another program: choose another with --port"
        )
    raise UsageError("the embedded broker did not start: the line above says why")


async def _stop(process: Process, ended: "asyncio.Task[int]") -> None:
    for end in (process.terminate, process.kill):
        with suppress(ProcessLookupError):  # it may be gone before `ended` knows
            end()
        done, _ = await asyncio.wait([ended], timeout=_STOP_TIMEOUT_S)
        if done:
            return
