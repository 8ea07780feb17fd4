"""The in-process order system: the same core as on Kafka, behind plain method calls."""

from decimal import Decimal

from processor.core.orders.merge import merge_streams
from processor.core.orders.stream import Decision, OrderStream
from processor.core.sharding import stream_of
from processor.wire.event import EVENT, Event
from processor.wire.money import plain_decimal

Amount = int | float | str | Decimal


class CryptoOrderSystem:
    """Live orders of all users, spread over streams by user id.

    Every rule is the stream's; this class only finds the stream.
    """

    def __init__(self, num_streams: int = 1) -> None:
        """Make an empty system.

        Raises:
            ValueError: ``num_streams`` is less than 1.
        """
        if num_streams < 1:
            raise ValueError("num_streams must be at least 1")
        self._streams = [OrderStream(number, num_streams) for number in range(num_streams)]
        self._stream_by_order: dict[str, OrderStream] = {}
        self._calls = 0

    def place(
        self, order_id: str, user_id: str, currency: str, amount: Amount, price: Amount
    ) -> None:
        """Place an order; one whose id is live anywhere already changes nothing.

        Args:
            amount, price: exact decimals greater than 0; a float stands for the digits it prints.

        Raises:
            pydantic.ValidationError: an argument breaks the schema of a place event.
        """
        event = _event(
            type="place",
            order_id=order_id,
            user_id=user_id,
            currency=currency,
            amount=_text(amount),
            price=_text(price),
        )
        if order_id in self._stream_by_order:
            return
        stream = self._of_user(user_id)
        self._apply(stream, event)
        self._stream_by_order[order_id] = stream

    def pause(self, order_id: str) -> bool:
        """Pause an active order; whether it was one."""
        return self._command("pause", order_id)

    def resume(self, order_id: str) -> bool:
        """Resume a paused order; whether it was one."""
        return self._command("resume", order_id)

    def cancel(self, order_id: str) -> bool:
        """Remove a live order; whether it was one."""
        applied = self._command("cancel", order_id)
        if applied:
            del self._stream_by_order[order_id]
        return applied

    def cancel_all_by_user(self, user_id: str) -> int:
        """Remove all live orders of a user; how many there were."""
        stream = self._of_user(user_id)
        for order_id in stream.order_ids_of(user_id):
            del self._stream_by_order[order_id]
        event = _event(type="cancel_all_by_user", user_id=user_id)
        *_, removed = self._apply(stream, event)
        return removed or 0

    def display_all_live_orders(self) -> list[str]:
        """The live orders in the order they were placed: ``order1``, ``order2(paused)``."""
        merged = merge_streams((stream.stream, stream.orders()) for stream in self._streams)
        return [order.label() for _, order in merged]

    def _of_user(self, user_id: str) -> OrderStream:
        return self._streams[stream_of(user_id, len(self._streams))]

    def _command(self, name: str, order_id: str) -> bool:
        stream = self._stream_by_order.get(order_id)
        if stream is None:
            return False
        *_, reason, _ = self._apply(stream, _event(type=name, order_id=order_id))
        return reason is None

    def _apply(self, stream: OrderStream, event: Event) -> Decision:
        # The number of the call is the time: it alone orders placements across streams.
        self._calls += 1
        return stream.step([(self._calls, self._calls, event)]).decisions[0]


def _text(amount: Amount) -> str:
    """A number's digits; a string must be plain digits already, as on the wire."""
    return amount if isinstance(amount, str) else plain_decimal(str(amount))


def _event(**fields: str) -> Event:
    return EVENT.validate_python(fields)
