"""One shard of the directory: which live order has an id, over all streams.

As in `processor.core.orders.stream`, a batch goes in and values come out, state changes in no other
way, and what is made for every order is a plain tuple.

An id has an owner, or parked commands that wait for one, or neither; never both.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from heapq import heappop, heappush
from typing import Literal, NamedTuple

from processor.core.directory.messages import (
    Answer,
    Claim,
    Command,
    Release,
    Revoke,
    RoutedCommand,
    ToShard,
    unknown_order,
)

OwnerRemoved = tuple[Literal["removed"], str]
"""Nobody owns the order id any more."""

Parked = tuple[Literal["parked"], Command, int]
"""A command waits for a place, until a time in microseconds."""

Unparked = tuple[Literal["unparked"], Command]
"""A command waits no longer."""

DirectoryChange = Claim | OwnerRemoved | Parked | Unparked
"""One change of a shard's state; a claim stands for the order that owns its id from now on."""

_Waiting = tuple[int, int]
"""Where a parked command stands: partition and offset."""


class DirectoryStep(NamedTuple):
    """The effects of a batch, each in order: changes, messages to streams, and final answers."""

    changes: list[DirectoryChange]
    messages: list[RoutedCommand | Revoke]
    answers: list[Answer]


class OrderDirectory:
    """The owners of the order ids of one shard, and the commands that wait for one.

    Everything takes constant time but for the commands that a claim or a deadline sets free.
    """

    __slots__ = (
        "_deadlines",
        "_due",
        "_grace_us",
        "_num_streams",
        "_owners",
        "_owners_sum",
        "_parked",
        "_parked_count",
    )

    def __init__(
        self,
        num_streams: int,
        *,
        routing_grace_ms: int = 5000,
        owners: Mapping[str, tuple[int, int]] | None = None,
        parked: Iterable[tuple[Command, int]] = (),
    ) -> None:
        """Make a shard.

        Args:
            num_streams: how many streams, and so shards, there are.
            routing_grace_ms: how long a command may wait for the place of its order.
            owners: the stream and ``placed_seq`` of the order that has an id.
            parked: waiting commands in the order they came, each with its deadline in
                microseconds.
        """
        self._num_streams = num_streams
        self._grace_us = routing_grace_ms * 1000
        # A placement as one number: as a tuple it would take 100 bytes more for each live order.
        # User and place are in the owner's record, for readers; nothing here depends on them.
        self._owners: dict[str, int] = {}
        self._owners_sum = 0
        for order_id, (stream, placed_seq) in (owners or {}).items():
            self._owners[order_id] = self._placement(stream, placed_seq)
            self._owners_sum += self._owners[order_id]
        self._parked: dict[str, dict[_Waiting, Command]] = {}
        self._parked_count = 0
        # Entries stay when their command is gone: they go when their time comes.
        self._deadlines: list[tuple[int, str, _Waiting]] = []
        # Past their deadline, until all is read that was there then: up to an offset.
        self._due: deque[tuple[int, str, _Waiting]] = deque()
        for command, deadline_us in parked:
            self._wait(command, deadline_us)

    @property
    def owner_count(self) -> int:
        """How many ids have an owner."""
        return len(self._owners)

    @property
    def owners_sum(self) -> int:
        """A sum over the owners' placements: a table that misses or mistakes one has another."""
        return self._owners_sum

    @property
    def parked_count(self) -> int:
        """How many commands wait."""
        return self._parked_count

    def owner(self, order_id: str) -> tuple[int, int] | None:
        """The stream and ``placed_seq`` of the order that has the id."""
        placement = self._owners.get(order_id)
        if placement is None:
            return None
        placed_seq, stream = divmod(placement, self._num_streams)
        return stream, placed_seq

    def is_overdue(self, now_us: int) -> bool:
        """Whether a deadline has passed for which `note_end` was not called yet."""
        return bool(self._deadlines) and self._deadlines[0][0] <= now_us

    def note_end(self, now_us: int, end: int) -> None:
        """Take down what there was to read when deadlines passed.

        A deadline counts only when all of that is read: a claim may be hidden behind an open
        transaction for longer.

        Args:
            now_us: wall clock, microseconds since the epoch.
            end: the end of ``orders.claims`` as of then or later, open transactions included.
        """
        while self.is_overdue(now_us):
            _, order_id, waiting = heappop(self._deadlines)
            if waiting in self._parked.get(order_id, ()):
                self._due.append((end, order_id, waiting))

    def is_due(self, position: int) -> bool:
        """Whether `expire` has something to do."""
        return bool(self._due) and self._due[0][0] <= position

    def step(self, inputs: Iterable[ToShard], now_us: int) -> DirectoryStep:
        """Take a batch of what streams say, in order.

        Args:
            inputs: from ``orders.claims``.
            now_us: wall clock, microseconds since the epoch.
        """
        step = DirectoryStep([], [], [])
        for one in inputs:
            self.take(one, now_us, step)
        return step

    def take(self, message: ToShard, now_us: int, step: DirectoryStep) -> None:
        """Take one message.

        Args:
            message: what a stream says.
            now_us: wall clock, microseconds since the epoch; only commands need it.
            step: gets what follows.
        """
        if message[0] == "claim":
            self._claim(message, step)
        elif message[0] == "release":
            self._release(message, step)
        else:
            self._command(message, now_us, step)

    def expire(self, position: int) -> DirectoryStep:
        """Answer the commands whose time is over.

        Args:
            position: the next offset of ``orders.claims``; all before it went through `step`.
        """
        step = DirectoryStep([], [], [])
        while self.is_due(position):
            _, order_id, waiting = self._due.popleft()
            command = self._take_back(order_id, waiting)
            if command is not None:
                _unknown(command, step)
        return step

    def _placement(self, stream: int, placed_seq: int) -> int:
        return placed_seq * self._num_streams + stream

    def _claim(self, claim: Claim, step: DirectoryStep) -> None:
        _, order_id, _, stream, placed_seq, partition, offset = claim
        placement = self._placement(stream, placed_seq)
        owner = self._owners.get(order_id)
        if owner is None:
            self._owners[order_id] = placement
            self._owners_sum += placement
            step.changes.append(claim)
            if order_id in self._parked:
                self._meet(self._parked.pop(order_id), claim, step)
        elif owner != placement:
            step.messages.append(("revoke", stream, order_id, placed_seq, partition, offset))

    def _meet(self, waiting: dict[_Waiting, Command], claim: Claim, step: DirectoryStep) -> None:
        """Send parked commands after the order that they waited for.

        One that stands before this place in the same partition must not reach it. The id was free
        until now, so it is answered as if it had come just before.
        """
        _, _, _, stream, placed_seq, place_partition, place_offset = claim
        self._parked_count -= len(waiting)
        for (partition, offset), command in waiting.items():
            if partition == place_partition and offset < place_offset:
                _unknown(command, step)
            else:
                step.changes.append(("unparked", command))
                step.messages.append(("routed_command", stream, placed_seq, command))

    def _release(self, release: Release, step: DirectoryStep) -> None:
        _, order_id, stream, placed_seq = release
        placement = self._placement(stream, placed_seq)
        if self._owners.get(order_id) == placement:
            del self._owners[order_id]
            self._owners_sum -= placement
            step.changes.append(("removed", order_id))

    def _command(self, command: Command, now_us: int, step: DirectoryStep) -> None:
        owner = self.owner(command[1])
        if owner is None:
            deadline_us = now_us + self._grace_us
            self._wait(command, deadline_us)
            step.changes.append(("parked", command, deadline_us))
        else:
            step.messages.append(("routed_command", *owner, command))

    def _wait(self, command: Command, deadline_us: int) -> None:
        _, order_id, partition, offset, _ = command
        self._parked.setdefault(order_id, {})[partition, offset] = command
        self._parked_count += 1
        heappush(self._deadlines, (deadline_us, order_id, (partition, offset)))

    def _take_back(self, order_id: str, waiting: _Waiting) -> Command | None:
        """End a command's wait; None if it has met its order already."""
        commands = self._parked.get(order_id, {})
        command = commands.pop(waiting, None)
        if command is not None:
            self._parked_count -= 1
            if not commands:
                del self._parked[order_id]
        return command


def _unknown(command: Command, step: DirectoryStep) -> None:
    """End a parked command's wait without an order."""
    step.changes.append(("unparked", command))
    step.answers.append(unknown_order(*command[1:]))
