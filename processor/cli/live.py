"""``live-orders list``: the live orders as of now."""

import asyncio

import typer

from processor.bootstrap import open_log
from processor.cli.options import BootstrapServers, Json, TopicPrefix
from processor.core.order import Order
from processor.core.records import order_json
from processor.settings import Settings, load_settings


def list_orders(
    json: Json = False,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Print the live orders of all streams, in the order they were placed.

    They come from the latest complete snapshots and the changes after them.
    """
    settings = load_settings(bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix)
    for stream, order in asyncio.run(_read(settings)):
        typer.echo(order_json(order, stream).decode() if json else order.label())


async def _read(settings: Settings) -> list[tuple[int, Order]]:
    async with open_log(settings) as reading:
        return await reading.live_orders()
