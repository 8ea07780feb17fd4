"""``live-orders broker``: the embedded broker, for any client."""

import asyncio
import signal
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from processor.embedded import embedded_broker
from processor.errors import KafkaUnavailable


def broker(
    port: Annotated[
        int,
        typer.Option(metavar="PORT", min=0, max=65_535, help="Port; 0: any free one below 32768."),
    ] = 9092,
    data_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep its data here. [default: in memory]")
    ] = None,
) -> None:
    """Run a Kafka for development, without Java or Docker.

    It listens on 127.0.0.1 until SIGTERM or Ctrl-C, and prints its address once it answers. It is
    not for production: see docs/operations.md.
    """
    asyncio.run(_serve(port, data_dir))


async def _serve(port: int, data_dir: Path | None) -> None:
    serving = asyncio.ensure_future(_until_cancelled(port, data_dir))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    with suppress(asyncio.CancelledError):
        await serving


async def _until_cancelled(port: int, data_dir: Path | None) -> None:
    async with embedded_broker(port, data_dir) as running:
        typer.echo(running.servers)
        kept = f"data in {data_dir}" if data_dir else "in memory: all is gone when it stops"
        typer.echo(f"live-orders: a Kafka for development, not for production; {kept}", err=True)
        code = await asyncio.shield(running.ended)
        raise KafkaUnavailable(f"the embedded broker ended by itself, with exit code {code}")
