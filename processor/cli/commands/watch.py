"""``live-orders watch``: the live orders, and every change of them as it is committed."""

from collections.abc import Iterable
from typing import NoReturn

from processor.app.read import open_log
from processor.cli.render.order_lines import (
    change_heads,
    change_json,
    change_line,
    change_shape,
    listed_json,
    listed_line,
    order_count,
)
from processor.cli.terminal.following import Following
from processor.cli.terminal.options import BootstrapServers, Json, Stream, TopicPrefix, User
from processor.cli.terminal.output import is_terminal, painter, say, terminal_width, write
from processor.cli.terminal.signals import perform
from processor.cli.terminal.spinner import patiently, waiting
from processor.core.orders.order import Order
from processor.reader.view_change import ViewChange
from processor.settings import Settings, load_settings


def watch(
    stream: Stream = None,
    user: User = None,
    json: Json = False,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Print the live orders, then each change.

    The orders there are come first, as lines with the change "live"; then every change as it is
    committed, until Ctrl-C: placed, paused, resumed and removed (by a cancel, by a cancel of all of
    the user's orders, or because another order had the id first: "results" says which). Each
    stream's changes are in their order. When Kafka goes away, watch waits for it and goes on where
    it was.
    """
    settings = load_settings(bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix)
    perform(_watch(settings, stream, user, json))


async def _watch(settings: Settings, stream: int | None, user: str | None, json: bool) -> NoReturn:
    async with patiently(open_log(settings), settings.bootstrap_servers) as reading:
        watched = reading.watch(stream=stream, user=user)
        printer = _Printer(settings.bootstrap_servers, user, json)
        async with waiting("reading the live orders ..."):
            orders = await watched.read()
        printer.begin([pair for pair in orders if user is None or pair[1].user_id == user])
        await watched.follow(printer)


class _Printer(Following):
    """A `Watcher` that prints."""

    def __init__(self, servers: str, user: str | None, json: bool) -> None:
        super().__init__(servers)
        self._user = user
        self._json = json
        self._paint = painter()
        self._shape = change_shape(terminal_width())

    def begin(self, orders: Iterable[tuple[int, Order]]) -> None:
        """Print what is live at the beginning."""
        orders = list(orders)
        if is_terminal() and not self._json:
            write([change_heads(self._shape, self._paint)])
        if self._json:
            write(listed_json(stream, order) for stream, order in orders)
        else:
            write(listed_line(stream, order, self._shape) for stream, order in orders)
        if is_terminal():
            say(f"{order_count(orders)}; watching for changes, Ctrl-C ends")

    def on_change(self, stream: int, change: ViewChange, timestamp_ms: int | None) -> None:
        """Part of `Watcher`."""
        if self._user not in (None, change.order.user_id):
            return
        if self._json:
            write([change_json(stream, change, timestamp_ms)])
        else:
            write([change_line(stream, change, timestamp_ms, self._shape, self._paint)])
