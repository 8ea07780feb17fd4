"""``live-orders list``: the live orders as of now."""

from processor.app.read import open_log
from processor.cli.render.order_lines import order_count, order_line_json, order_table
from processor.cli.render.text import safe
from processor.cli.terminal.options import BootstrapServers, Json, Stream, TopicPrefix, User
from processor.cli.terminal.output import is_terminal, painter, say, terminal_width, write
from processor.cli.terminal.signals import perform
from processor.cli.terminal.spinner import patiently, waiting
from processor.settings import Settings, load_settings


def list_orders(
    stream: Stream = None,
    user: User = None,
    json: Json = False,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Print the live orders as of now.

    On a terminal as a table; in a pipe one order a line, order1 or order2(paused); with --json
    one record of orders.live a line.

    Orders come in the order they were placed, streams merged by the time of the place, ties by
    stream. They are read from the latest whole snapshots and the changes after them.
    """
    settings = load_settings(bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix)
    perform(_list(settings, stream, user, json))


async def _list(settings: Settings, stream: int | None, user: str | None, json: bool) -> None:
    async with (
        patiently(open_log(settings), settings.bootstrap_servers) as reading,
        waiting("reading the live orders ..."),
    ):
        orders = await reading.live_orders(stream=stream, user=user)
    if json:
        write(order_line_json(number, order) for number, order in orders)
    elif is_terminal():
        if orders:
            write(order_table(orders, painter(), terminal_width()))
        say(order_count(orders))
    else:
        write(safe(order.label()) for _, order in orders)
