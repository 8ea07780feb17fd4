"""A stream whose orders the directory knows, and that hears of it: see ``docs/design.md``.

With the directory off, a plain `OrderStream` is used, and none of this runs.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from processor.core.messages import (
    Answer,
    Claim,
    Command,
    Correction,
    EventRecord,
    Outcome,
    Release,
    Revoke,
    RoutedCommand,
    RoutedEvent,
    ToShard,
    ToStream,
    event_of,
    unknown_order,
)
from processor.core.order import Order, OrderRow
from processor.core.sharding import stream_of
from processor.core.stream import Change, Decision, Input, OrderStream
from schemas.claim import UNKNOWN_OFFSET
from schemas.forwarded import RawEvent
from schemas.timestamp import record_time_us


class IndexedStep(NamedTuple):
    """What a batch of events led to: `OrderStream.step`'s, and what other tasks must hear.

    ``to_shards`` is in the order in which things happened: a command must not get behind the claim
    of a place that came after it.
    """

    outcomes: list[Outcome]
    changes: list[Change]
    to_shards: list[ToShard]
    to_streams: list[RoutedEvent]


class RoutedStep(NamedTuple):
    """What a batch of routed records led to: answers, changes, and what shards must hear."""

    answers: list[Answer | Correction]
    changes: list[Change]
    to_shards: list[Claim | Release]


class IndexedStream(OrderStream):
    """The live orders of one stream, each claimed in the directory when it comes.

    Events go through `take` and routed records through `take_routed`; not through `step`.
    """

    __slots__ = ("_released",)

    def __init__(
        self, stream: int, num_streams: int, *, seq: int = 0, orders: Iterable[Order] = ()
    ) -> None:
        super().__init__(stream, num_streams, seq=seq, orders=orders)
        self._released: list[Release] = []

    def claim_all(self) -> list[Claim]:
        """Claims of all live orders: what the directory must be told when it is first turned on.

        Where their places stand is not known any more.
        """
        return [
            ("claim", row[0], row[1], self.stream, row[8], self.stream, UNKNOWN_OFFSET)
            for row in self.rows()
        ]

    def take(self, inputs: Iterable[Input], records: Sequence[EventRecord]) -> IndexedStep:
        """Decide and apply a batch of events, and pass on what is not for this stream.

        Args:
            inputs: the events of ``orders.events``.
            records: what they were read from, one for each.
        """
        decisions, changes = self.step(inputs)
        outcomes: list[Outcome] = list(decisions)
        to_shards: list[ToShard] = []
        to_streams: list[RoutedEvent] = []
        placed = (row for row in changes if len(row) != 2 and row[8] == row[9])
        released = iter(self._drain_released())
        for index, decision in enumerate(decisions):
            offset, event_type, _, user_id, _, _, reason, removed = decision
            if reason is None:
                if event_type == "place":
                    row = next(placed)
                    to_shards.append(
                        ("claim", row[0], row[1], self.stream, row[8], self.stream, offset)
                    )
                elif event_type == "cancel" or removed:
                    to_shards.extend(islice(released, removed or 1))
            elif reason == "wrong_stream":
                to_streams.append(self._to_its_stream(decision, records[index]))
                outcomes[index] = _forwarded(decision)
            elif reason == "unknown_order" and user_id is None:
                to_shards.append(self._to_its_shard(decision, records[index]))
                outcomes[index] = _forwarded(decision)
        return IndexedStep(outcomes, changes, to_shards, to_streams)

    def take_routed(self, inputs: Iterable[ToStream]) -> RoutedStep:
        """Decide and apply a batch of what others sent here, in order.

        Args:
            inputs: from ``orders.routed``.
        """
        routed = RoutedStep([], [], [])
        for one in inputs:
            if one[0] == "routed_event":
                _, _, partition, offset, raw = one
                self._finish(partition, offset, raw, routed)
            elif one[0] == "routed_command":
                self._command_for(one, routed)
            else:
                self._revoke(one, routed)
        return routed

    def _to_its_stream(self, decision: Decision, record: EventRecord) -> RoutedEvent:
        offset, user_id = decision[0], decision[3]
        assert user_id is not None, "only a user can belong to another stream"
        target = stream_of(user_id, self._num_streams)
        return "routed_event", target, self.stream, offset, _raw(record)

    def _to_its_shard(self, decision: Decision, record: EventRecord) -> Command:
        offset, order_id = decision[0], decision[2]
        assert order_id is not None, "only a command on an order can miss it"
        return "command", order_id, self.stream, offset, _raw(record)

    def _finish(self, partition: int, offset: int, raw: RawEvent, routed: RoutedStep) -> None:
        """Give an event that was read elsewhere its final answer."""
        event = event_of(raw)
        (decision,), made = self.step(((offset, record_time_us(raw[3]), event),))
        routed.answers.append((partition, decision))
        routed.changes.extend(made)
        routed.to_shards.extend(self._told(partition, offset, made))

    def _command_for(self, one: RoutedCommand, routed: RoutedStep) -> None:
        """Apply a command to the order that owned its id when it passed the directory.

        Another one that has the id by now came later; the command did not find any.
        """
        _, _, placed_seq, (_, order_id, partition, offset, raw) = one
        if self._is_live(order_id, placed_seq):
            self._finish(partition, offset, raw, routed)
        else:
            routed.answers.append(unknown_order(order_id, partition, offset, raw))

    def _revoke(self, revoke: Revoke, routed: RoutedStep) -> None:
        """Remove an order whose place lost; if it is gone already there is nothing to correct."""
        _, _, order_id, placed_seq, partition, offset = revoke
        if self._is_live(order_id, placed_seq):
            order = self._orders[order_id]
            super()._remove(order, routed.changes)
            routed.answers.append((partition, offset, order_id, order[1], order[6]))

    def _is_live(self, order_id: str, placed_seq: int) -> bool:
        order = self._orders.get(order_id)
        return order is not None and order[8] == placed_seq

    def _remove(self, order: OrderRow, changes: list[Change]) -> None:
        super()._remove(order, changes)
        self._released.append(("release", order[0], self.stream, order[8]))

    def _drain_released(self) -> list[Release]:
        released, self._released = self._released, []
        return released

    def _told(self, partition: int, offset: int, made: list[Change]) -> Sequence[Claim | Release]:
        """What the directory must hear of one event's changes.

        Args:
            partition, offset: where the event stands.
            made: the changes: an event places one order, or changes one, or removes some.
        """
        first = made[0] if made else ()
        if len(first) == 2:
            return self._drain_released()
        if first and first[8] == first[9]:
            return (("claim", first[0], first[1], self.stream, first[8], partition, offset),)
        return ()


def _forwarded(decision: Decision) -> Outcome:
    return (*decision[:6], "forwarded", None)


def _raw(record: EventRecord) -> RawEvent:
    assert record.value is not None, "what has no value is no event"
    return record.key, record.value, record.headers, record.timestamp
