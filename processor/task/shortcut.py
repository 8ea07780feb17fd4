"""Telling streams and shards of the same process directly, when nothing in the queue is overtaken.

A message may skip the queue of a stream or shard once that has read its queue up to the end, open
transactions included, as it was when it began to run in the current generation of the group; and as
long as this process has nothing of its own in that queue that was not read yet. Under load it
always would have. So, when a stream has begun to run, the process applies no events for the moment
that it takes to read its own messages in the queues.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from processor.core.directory.messages import ToShard, ToStream
from processor.core.murmur2_lanes import murmur2_of_each
from processor.core.sharding import shard_of
from processor.reader.ports import Clock
from processor.task.ports import Partition
from processor.topics import Topics

# Far longer than it takes, unless Kafka is slow.
_DRAIN_MS = 2_000
# A start with little to restore takes less; with much, the others go on through the queues.
_GATHER_MS = 500


class Neighbour(Protocol):
    """A task whose stream and shard can be told directly."""

    @property
    def is_alive(self) -> bool:
        """Whether it may write."""

    @property
    def holds_events(self) -> bool:
        """Whether it puts events in order by their time: held ones need a place in the queue."""

    def applied(self, topic: str) -> int:
        """The next offset of one of its queues that it has not applied."""

    def owner_of(self, order_id: str) -> tuple[int, int] | None:
        """The owner of an id, as its shard knows it."""

    def take_claim(self, message: ToShard) -> None:
        """Tell its shard."""

    def take_message(self, message: ToStream) -> None:
        """Tell its stream."""


@dataclass(slots=True)
class _Queue:
    """A queue of a stream that runs here.

    ``start`` is where it ended when the stream began to run. ``drain_until_ms`` is when the process
    stops waiting for its own messages in it to be read.
    """

    start: int
    drain_until_ms: int | None = None


class Shortcuts:
    """The `LocalDelivery` of a process."""

    def __init__(
        self,
        num_streams: int,
        topics: Topics,
        is_queued: Callable[[Partition], bool],
        clock: Clock,
    ) -> None:
        """Reach nobody.

        Args:
            num_streams: how many streams, and so shards, there are.
            topics: their names.
            is_queued: whether a round that is not committed yet has records for a queue.
            clock: the time.
        """
        self._num_streams = num_streams
        self._claims = topics.claims
        self._routed = topics.routed
        self._is_queued = is_queued
        self._clock = clock
        self._expected: set[int] = set()
        self._gather_until_ms = 0
        self._neighbours: dict[int, Neighbour] = {}
        self._queues: dict[Partition, _Queue] = {}
        # Those that were not read yet up to the end of our own messages.
        self._unread: set[Partition] = set()
        # Where our own messages end. It outlives the generation: they may still be unread.
        self._written: dict[Partition, int] = {}
        self._shards: dict[str, int] = {}
        # Who can be told in this slice: it does not change within one.
        self._told_shards: dict[int, Neighbour | None] = {}
        self._told_streams: dict[int, Neighbour | None] = {}
        self._waiting: deque[tuple[Neighbour, ToShard | ToStream]] = deque()

    # Who can be told

    def gather(self, streams: Iterable[int]) -> None:
        """These streams are about to run; the first ones wait a moment for the last."""
        self._expected = set(streams)
        self._gather_until_ms = self._clock.monotonic_ms() + _GATHER_MS

    def enter(self, stream: int, neighbour: Neighbour, ends: Mapping[Partition, int]) -> None:
        """A stream runs from now on.

        Args:
            stream: which one.
            neighbour: its task.
            ends: where its queues ended when it began to run in this generation, or later.
        """
        self._expected.discard(stream)
        self._neighbours[stream] = neighbour
        self._queues |= {where: _Queue(end) for where, end in ends.items()}
        self._unread.update(where for where in ends if self._neighbour(where) is not None)

    def leave(self, stream: int, neighbour: Neighbour) -> None:
        """A stream's task ends."""
        if self._neighbours.get(stream) is neighbour:
            del self._neighbours[stream]
            self._unread = {where for where in self._unread if where.partition != stream}

    def clear(self) -> None:
        """All streams may move: each enters again in the next generation."""
        self._neighbours.clear()
        self._queues.clear()
        self._unread.clear()

    def written(self, ends: Mapping[Partition, int]) -> None:
        """A round was committed; its records end at these offsets."""
        for where, end in ends.items():
            if where.topic in (self._claims, self._routed):
                self._written[where] = max(end, self._written.get(where, 0))

    @property
    def is_draining(self) -> bool:
        """Whether events should wait until our own messages in queues are read; not for long."""
        now_ms = self._clock.monotonic_ms()
        if self._expected and now_ms < self._gather_until_ms:
            return True
        return any(self._must_drain(where, now_ms) for where in list(self._unread))

    def _must_drain(self, where: Partition, now_ms: int) -> bool:
        queue, neighbour = self._queues[where], self._neighbour(where)
        if neighbour is None or neighbour.applied(where.topic) < queue.start:
            return False  # others have records there that are not committed yet
        if self._is_read(where, neighbour):
            self._unread.discard(where)
            return False
        if queue.drain_until_ms is None:
            queue.drain_until_ms = now_ms + _DRAIN_MS
        return now_ms < queue.drain_until_ms

    def _neighbour(self, where: Partition) -> Neighbour | None:
        """The task that can be told in place of a queue, once the queue is read."""
        neighbour = self._neighbours.get(where.partition)
        if neighbour is None or not neighbour.is_alive:
            return None
        is_held = where.topic == self._routed and neighbour.holds_events
        return None if is_held else neighbour

    def _is_read(self, where: Partition, neighbour: Neighbour) -> bool:
        end = max(self._queues[where].start, self._written.get(where, 0))
        return neighbour.applied(where.topic) >= end and not self._is_queued(where)

    def begin_slice(self) -> None:
        """Look anew at who can be told."""
        self._told_shards.clear()
        self._told_streams.clear()
        self._shards.clear()

    def expect(self, order_ids: Sequence[str]) -> None:
        """Tell of ids that will be asked for: their shards are cheaper to find together."""
        hashes = murmur2_of_each([order_id.encode() for order_id in order_ids])
        num_streams = self._num_streams
        for order_id, hashed in zip(order_ids, hashes, strict=True):
            self._shards[order_id] = (hashed & 0x7FFFFFFF) % num_streams

    def _target(self, where: Partition) -> Neighbour | None:
        """Whom to tell in place of a queue now."""
        neighbour = self._neighbour(where)
        return neighbour if neighbour is not None and self._is_read(where, neighbour) else None

    def _stream(self, stream: int) -> Neighbour | None:
        if stream not in self._told_streams:
            self._told_streams[stream] = self._target(Partition(self._routed, stream))
        return self._told_streams[stream]

    def _shard(self, order_id: str) -> Neighbour | None:
        shard = self._shards.get(order_id)
        if shard is None:
            shard = self._shards[order_id] = shard_of(order_id, self._num_streams)
        if shard not in self._told_shards:
            self._told_shards[shard] = self._target(Partition(self._claims, shard))
        return self._told_shards[shard]

    # Part of `LocalDelivery`

    def owner_of(self, order_id: str) -> tuple[int, int] | None:
        """Part of `LocalDelivery`."""
        shard = self._shard(order_id)
        return None if shard is None else shard.owner_of(order_id)

    def reaches(self, stream: int) -> bool:
        """Part of `LocalDelivery`."""
        return self._stream(stream) is not None

    def to_shard(self, message: ToShard) -> bool:
        """Part of `LocalDelivery`."""
        shard = self._shard(message[1])
        if shard is None:
            return False
        self._waiting.append((shard, message))
        return True

    def to_stream(self, message: ToStream) -> bool:
        """Part of `LocalDelivery`."""
        target = self._stream(message[1])
        if target is None:
            return False
        self._waiting.append((target, message))
        return True

    def deliver(self) -> None:
        """Part of `LocalDelivery`."""
        waiting = self._waiting
        while waiting:
            neighbour, message = waiting.popleft()
            if message[0] == "claim" or message[0] == "release" or message[0] == "command":
                neighbour.take_claim(message)
            else:
                neighbour.take_message(message)
