"""A stream whose orders the directory knows, and that hears of it: see ``docs/design.md``.

With the directory off, a plain `OrderStream` is used, and none of this runs.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from processor.core.messages import (
    Answer,
    Claim,
    Command,
    Correction,
    EventRecord,
    Outcome,
    Revoke,
    RoutedCommand,
    RoutedEvent,
    ToShard,
    ToStream,
    event_of,
    unknown_order,
)
from processor.core.seen_ids import SeenIds, id_digest
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
    to_shards: list[ToShard]


class IndexedStream(OrderStream):
    """The live orders of one stream, each claimed in the directory when it comes.

    Events go through `take` and routed records through `take_routed`; not through `step`.
    """

    __slots__ = ()

    def claim_all(self, after: int) -> Iterator[Claim]:
        """Claims of all live orders: what the directory must be told when it is first turned on.

        In placement order. Where their places stand is not known any more.

        Args:
            after: leave out those with a ``placed_seq`` up to this: they are claimed already, and
                nothing may be claimed twice.
        """
        for row in self.rows():
            if row[8] > after:
                yield "claim", row[0], row[1], self.stream, row[8], self.stream, UNKNOWN_OFFSET

    def take(
        self,
        inputs: Iterable[Input],
        records: Sequence[EventRecord],
        seen: SeenIds | None = None,
    ) -> IndexedStep:
        """Decide and apply a batch of events, and pass on what is not for this stream.

        Args:
            inputs: the events of ``orders.events``.
            records: what they were read from, one for each.
            seen: the ids of the events before, if repeats are to be refused; gets those of the
                ones that end here.
        """
        decisions, changes = self.step(inputs, seen)
        outcomes: list[Outcome] = list(decisions)
        to_shards: list[ToShard] = []
        to_streams: list[RoutedEvent] = []
        told = 0
        for index, decision in enumerate(decisions):
            reason = decision[6]
            if reason is None:
                # An applied event has one change, or as many as a cancel-all removed.
                count = 1 if decision[7] is None else decision[7]
                for change in changes[told : told + count]:
                    self._tell(change, self.stream, decision[0], to_shards)
                told += count
            elif reason == "wrong_stream":
                to_streams.append(self._to_its_stream(decision, records[index]))
                outcomes[index] = _forwarded(decision)
            elif not self._is_final(decision):
                to_shards.append(self._to_its_shard(decision, records[index]))
                outcomes[index] = _forwarded(decision)
        return IndexedStep(outcomes, changes, to_shards, to_streams)

    def take_routed(self, inputs: Iterable[ToStream], seen: SeenIds | None = None) -> RoutedStep:
        """Decide and apply a batch of what others sent here, in order.

        Args:
            inputs: from ``orders.routed``.
            seen: as in `take`.
        """
        routed = RoutedStep([], [], [])
        for one in inputs:
            if one[0] == "routed_event":
                _, _, partition, offset, raw = one
                self._finish(partition, offset, raw, seen, routed)
            elif one[0] == "routed_command":
                self._command_for(one, seen, routed)
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

    def _is_final(self, decision: Decision) -> bool:
        """Part of `OrderStream`: a command on an order that is not here goes on, too."""
        _, _, _, user_id, _, _, reason, _ = decision
        return reason != "wrong_stream" and (reason != "unknown_order" or user_id is not None)

    def _finish(
        self,
        partition: int,
        offset: int,
        raw: RawEvent,
        seen: SeenIds | None,
        routed: RoutedStep,
    ) -> None:
        """Give an event that was read elsewhere its final answer."""
        event = event_of(raw)
        (decision,), made = self.step(((offset, record_time_us(raw[3]), event),), seen)
        routed.answers.append((partition, decision))
        routed.changes.extend(made)
        for change in made:
            self._tell(change, partition, offset, routed.to_shards)

    def _command_for(self, one: RoutedCommand, seen: SeenIds | None, routed: RoutedStep) -> None:
        """Apply a command to the order that owned its id when it passed the directory.

        Another one that has the id by now came later; the command did not find any.
        """
        _, _, placed_seq, (_, order_id, partition, offset, raw) = one
        if self._is_live(order_id, placed_seq):
            self._finish(partition, offset, raw, seen, routed)
        else:
            answer = unknown_order(order_id, partition, offset, raw)
            routed.answers.append(answer if seen is None else _once(answer, seen))

    def _revoke(self, revoke: Revoke, routed: RoutedStep) -> None:
        """Remove an order whose place lost; if it is gone already there is nothing to correct."""
        _, _, order_id, placed_seq, partition, offset = revoke
        if self._is_live(order_id, placed_seq):
            order = self._orders[order_id]
            # No release: the directory never took it for the owner. It was never to be there, so
            # it goes at the time of its place, which is also what the corrected answer says.
            self._remove(order, order[6], routed.changes)
            routed.answers.append((partition, offset, order_id, order[1], order[6]))

    def _is_live(self, order_id: str, placed_seq: int) -> bool:
        order = self._orders.get(order_id)
        return order is not None and order[8] == placed_seq

    def _tell(self, change: Change, partition: int, offset: int, to_shards: list[ToShard]) -> None:
        """Let the directory hear of a change, if it concerns it.

        Args:
            change: what an event did.
            partition, offset: where the event stands.
            to_shards: what the directory hears.
        """
        if len(change) == 4:
            to_shards.append(("release", change[0], self.stream, change[1]))
        elif change[8] == change[9]:
            claim: Claim = (
                "claim",
                change[0],
                change[1],
                self.stream,
                change[8],
                partition,
                offset,
            )
            to_shards.append(claim)


def _forwarded(decision: Decision) -> Outcome:
    return (*decision[:6], "forwarded", None)


def _once(answer: Answer, seen: SeenIds) -> Answer:
    """The answer to a command that found no order, or to one that is a repeat as well."""
    partition, decision = answer
    event_id = decision[4]
    if event_id is None:
        seen.skip(1)
        return answer
    digest = id_digest(event_id)
    is_repeat = digest in seen
    seen.add(digest)
    return (partition, (*decision[:6], "duplicate_event", None)) if is_repeat else answer


def _raw(record: EventRecord) -> RawEvent:
    assert record.value is not None, "what has no value is no event"
    return record.key, record.value, record.headers, record.timestamp
