"""A stream whose orders the directory knows, and that hears of it: see ``docs/design.md``."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from processor.core.directory.local_delivery import NO_DELIVERY, LocalDelivery
from processor.core.directory.messages import (
    Answer,
    Claim,
    Command,
    Correction,
    Outcome,
    Revoke,
    RoutedCommand,
    RoutedEvent,
    ToShard,
    ToStream,
    event_of,
    unknown_order,
)
from processor.core.event_time.seen_ids import SeenIds, id_digest
from processor.core.orders.order import Order
from processor.core.orders.stream import Change, Decision, Input, OrderStream
from processor.core.sharding import stream_of
from processor.wire.forwarded import RawEvent
from processor.wire.record import EventRecord
from processor.wire.timestamp import record_time_us


@dataclass(slots=True)
class StreamOutput:
    """The output of a stream, in order.

    ``to_shards`` and ``to_streams`` are for the queues. A command must not get behind the claim of
    a place that came after it.
    """

    answers: list[tuple[int, Outcome] | Correction] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    to_shards: list[ToShard] = field(default_factory=list)
    to_streams: list[RoutedEvent] = field(default_factory=list)


class IndexedStream(OrderStream):
    """The live orders of one stream, each claimed in the directory when it comes.

    Events go through `take` and routed records through `take_routed`; not through `step`.
    """

    __slots__ = ("local",)

    def __init__(
        self,
        stream: int,
        num_streams: int,
        *,
        seq: int = 0,
        orders: Iterable[Order] = (),
        local: LocalDelivery = NO_DELIVERY,
    ) -> None:
        """Make a stream as `OrderStream` does; ``local`` is whom it can tell directly."""
        super().__init__(stream, num_streams, seq=seq, orders=orders)
        self.local = local

    def take(
        self,
        inputs: Iterable[Input],
        records: Sequence[EventRecord],
        seen: SeenIds | None = None,
        output: StreamOutput | None = None,
    ) -> StreamOutput:
        """Decide and apply events, and pass on what is not for this stream.

        Args:
            inputs: the events of ``orders.events``.
            records: what they were read from, one for each.
            seen: the ids of the events before, if repeats are to be refused; gets those of the
                ones that end here.
            output: what the stream has to say already; gets the rest.

        Returns:
            The output.
        """
        output = StreamOutput() if output is None else output
        changes, answers, stream, local = output.changes, output.answers, self.stream, self.local
        told = len(changes)
        for index, decision in enumerate(self.decide(inputs, seen, changes)):
            reason = decision[6]
            if reason is None:
                answers.append((stream, decision))
                for change in changes[told:]:
                    self._tell(change, stream, decision[0], output)
            elif reason == "wrong_stream":
                self._pass_to_stream(decision, records[index], output)
            elif self._is_final(decision):
                answers.append((stream, decision))
            else:
                self._pass_to_shard(decision, records[index], output)
            local.deliver()
            told = len(changes)
        return output

    def take_routed(
        self,
        inputs: Iterable[ToStream],
        seen: SeenIds | None = None,
        output: StreamOutput | None = None,
    ) -> StreamOutput:
        """Decide and apply what others sent here, in order.

        Args:
            inputs: from ``orders.routed``, or told directly.
            seen: as in `take`.
            output: as in `take`.

        Returns:
            The output.
        """
        output = StreamOutput() if output is None else output
        for one in inputs:
            if one[0] == "routed_event":
                _, _, partition, offset, raw = one
                self._finish(partition, offset, raw, seen, output)
            elif one[0] == "routed_command":
                self._command_for(one, seen, output)
            else:
                self._revoke(one, output)
        return output

    def _is_taken(self, order_id: str) -> bool:
        """Part of `OrderStream`: also whether another stream's order owns the id, as far as known.

        An owner of this stream that is not live here is being released.
        """
        if order_id in self._orders:
            return True
        owner = self.local.owner_of(order_id)
        return owner is not None and owner[0] != self.stream

    def _pass_to_stream(
        self, decision: Decision, record: EventRecord, output: StreamOutput
    ) -> None:
        message = self._to_its_stream(decision, record)
        if self.local.to_stream(message):
            return
        output.answers.append((self.stream, _forwarded(decision)))
        output.to_streams.append(message)

    def _pass_to_shard(self, decision: Decision, record: EventRecord, output: StreamOutput) -> None:
        """Send a command to the shard of its order; forwarded, unless it is finished at once."""
        message = self._to_its_shard(decision, record)
        owner = self.local.owner_of(message[1])
        if owner is None or not self.local.reaches(owner[0]):
            output.answers.append((self.stream, _forwarded(decision)))
        self._send_to_shard(message, output)

    def _send_to_shard(self, message: ToShard, output: StreamOutput) -> None:
        if not self.local.to_shard(message):
            output.to_shards.append(message)

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
        output: StreamOutput,
    ) -> None:
        """Give an event that was read elsewhere its final answer."""
        event = event_of(raw)
        told = len(output.changes)
        inputs = ((offset, record_time_us(raw[3]), event),)
        for decision in self.decide(inputs, seen, output.changes):
            output.answers.append((partition, decision))
        for change in output.changes[told:]:
            self._tell(change, partition, offset, output)

    def _command_for(self, one: RoutedCommand, seen: SeenIds | None, output: StreamOutput) -> None:
        """Apply a command to the order that owned its id when it passed the directory.

        Another one that has the id by now came later; the command did not find any.
        """
        _, _, placed_seq, (_, order_id, partition, offset, raw) = one
        if self._is_live(order_id, placed_seq):
            self._finish(partition, offset, raw, seen, output)
        else:
            answer = unknown_order(order_id, partition, offset, raw)
            output.answers.append(answer if seen is None else _once(answer, seen))

    def _revoke(self, revoke: Revoke, output: StreamOutput) -> None:
        """Remove an order whose place lost; if it is gone already there is nothing to correct."""
        _, _, order_id, placed_seq, partition, offset = revoke
        if self._is_live(order_id, placed_seq):
            order = self._orders[order_id]
            # No release: the directory never took it for the owner. It was never to be there, so
            # it goes at the time of its place, which is also what the corrected answer says.
            self._remove(order, order[6], output.changes)
            output.answers.append((partition, offset, order_id, order[1], order[6]))

    def _is_live(self, order_id: str, placed_seq: int) -> bool:
        order = self._orders.get(order_id)
        return order is not None and order[8] == placed_seq

    def _tell(self, change: Change, partition: int, offset: int, output: StreamOutput) -> None:
        """Let the directory hear of a change, if it concerns it.

        Args:
            change: what an event did.
            partition, offset: where the event stands.
            output: gets it, if it must go through the queue.
        """
        if len(change) == 4:
            self._send_to_shard(("release", change[0], self.stream, change[1]), output)
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
            self._send_to_shard(claim, output)


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
