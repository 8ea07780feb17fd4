"""Messages that need no queue: those to a stream or a shard in the same process.

What is told directly belongs to the same transaction as the event that led to it. It may only
overtake the queue when nothing for the same stream or shard is on its way there.
"""

from typing import Final, Protocol

from processor.core.directory.messages import ToShard, ToStream


class LocalDelivery(Protocol):
    """The streams and shards that can be told directly now."""

    def owner_of(self, order_id: str) -> tuple[int, int] | None:
        """The stream and ``placed_seq`` of the order that owns an id.

        None if nobody owns it, or its shard cannot be asked.
        """

    def reaches(self, stream: int) -> bool:
        """Whether a stream can be told directly."""

    def to_shard(self, message: ToShard) -> bool:
        """Take a message for the shard of its order id; False if it must go through the queue."""

    def to_stream(self, message: ToStream) -> bool:
        """Take a message for a stream; False if it must go through the queue."""

    def deliver(self) -> None:
        """Hand over what was taken, and what follows from it. Call only between two events."""


class NoDelivery:
    """A `LocalDelivery` that reaches nobody."""

    def owner_of(self, order_id: str) -> tuple[int, int] | None:
        """Part of `LocalDelivery`."""
        return None

    def reaches(self, stream: int) -> bool:
        """Part of `LocalDelivery`."""
        return False

    def to_shard(self, message: ToShard) -> bool:
        """Part of `LocalDelivery`."""
        return False

    def to_stream(self, message: ToStream) -> bool:
        """Part of `LocalDelivery`."""
        return False

    def deliver(self) -> None:
        """Part of `LocalDelivery`."""


NO_DELIVERY: Final = NoDelivery()
