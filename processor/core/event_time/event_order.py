"""Between what a task reads and its stream: events in the order of their times.

Events are held in the stream that answers them. An event of another stream's user goes on at once,
and one that came from another stream is held here. Refused records and revokes are not held.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Literal

from processor.core.directory.indexed_stream import IndexedStream
from processor.core.directory.messages import (
    RoutedCommand,
    RoutedEvent,
    ToStream,
    event_of,
)
from processor.core.event_time.finished_offsets import EVENTS, ROUTED, FinishedOffsets
from processor.core.event_time.offset_ranges import Runs, has
from processor.core.event_time.released import InputRecord, Ready, RefusedEvent
from processor.core.event_time.reorder import Entry, ReorderBuffer, ReorderPolicy, Verdict
from processor.core.event_time.seen_ids import SeenIds, id_digest
from processor.core.orders.stream import Input, OrderStream, refused_decision
from processor.wire.event import Event, Refusal
from processor.wire.forwarded import RawEvent
from processor.wire.position import ReorderMark
from processor.wire.timestamp import format_time, record_time_us

_SMALL_GAP: Final = 4

_Held = (
    tuple[Literal["event"], Input, InputRecord | None]
    | tuple[Literal["routed"], RoutedEvent | RoutedCommand, str | None]
)
"""An event with its record; or what another task sent here, with the order id if it is a place."""


class EventOrder:
    """Holds a stream's events until their time, and knows which are finished.

    Each `Ready` must have gone through the stream before anything else is asked for: whether a
    command waits here depends on which orders are live, and whether an event out of time is a
    repeat on which ids the stream has seen.
    """

    __slots__ = (
        "_applies_late",
        "_buffer",
        "_finished",
        "_left",
        "_max_future_ms",
        "_orders",
        "_places",
        "_seen",
        "_travels",
    )

    def __init__(
        self,
        orders: OrderStream,
        policy: ReorderPolicy,
        finished: FinishedOffsets,
        *,
        seen: SeenIds | None = None,
        mark: ReorderMark | None = None,
    ) -> None:
        """Make one that holds nothing.

        Args:
            orders: the stream; an `IndexedStream` passes on commands on orders it does not have.
            policy: how events are put in order.
            finished: told of every input that is finished.
            seen: the ids of the stream's last events, if repeats are refused.
            mark: how far the stream had come when it was committed last.
        """
        self._orders = orders
        self._travels = isinstance(orders, IndexedStream)
        self._applies_late = policy.late_events == "apply"
        self._max_future_ms = policy.max_future_ms
        self._finished = finished
        self._seen = seen
        self._buffer: ReorderBuffer[_Held] = ReorderBuffer(
            policy, released_us=-1 if mark is None else mark["released_us"]
        )
        # How many places of an order id wait here, and those that have left but may not be applied.
        self._places: dict[str, int] = {}
        self._left: list[str] = []

    @property
    def held(self) -> int:
        """How many events wait."""
        return len(self._buffer)

    @property
    def held_ever(self) -> int:
        """How many events were held so far, those that are gone included."""
        return self._buffer.held_ever

    @property
    def early_released(self) -> int:
        """How many events were released before their time, for there were too many."""
        return self._buffer.early_released

    def take_events(
        self, inputs: Iterable[Input], records: Sequence[InputRecord], now_us: int
    ) -> Iterator[Ready]:
        """Take events of ``orders.events``.

        Args:
            inputs: the events.
            records: what they were read from, one for each.
            now_us: wall clock.

        Yields:
            What is to be done, mostly once; all must be asked for.
        """
        ready = self._begin()
        finish, offer, travels = self._finished.adder(EVENTS), self._buffer.offer, self._travels
        next_offset = records[0].offset if records else 0
        for one, record in zip(inputs, records, strict=True):
            offset, time_us, event = one
            if offset != next_offset:
                _skip(next_offset, offset, finish)
            next_offset = offset + 1
            if type(event) is Refusal or self._goes_on(event):
                ready.add_event(one, record if travels else None)
                finish(offset)
                continue
            stated_us = event.get("occurred_at")
            if stated_us is not None:
                time_us = stated_us
            held: _Held = "event", one, record if travels else None
            verdict = offer(time_us, EVENTS, offset, held, now_us)
            if verdict == "late" or verdict == "too_early":
                if ready.runs and self._may_be_repeat(event):
                    yield ready
                    ready = self._begin()
                if not self._is_taken_now(verdict, event):
                    refusal = self._refusal(verdict, event, time_us)
                    one = offset, time_us, refusal
                    ready.refused.append(_refused(refusal, self._orders.stream, offset, record))
                ready.add_event(one, record if travels else None)
                finish(offset)
                continue
            if travels and event["type"] == "place":
                self._count_place(event["order_id"])
            if verdict == "due":
                self._release(self._buffer.release(), ready)
        yield ready

    def take_routed(self, messages: Iterable[tuple[int, ToStream]], now_us: int) -> Iterator[Ready]:
        """Take what others sent here.

        Args:
            messages: offsets in ``orders.routed``, and what stands there.
            now_us: wall clock.

        Yields:
            What is to be done, mostly once; all must be asked for.

        Raises:
            ValueError: an event on its way is none.
        """
        ready = self._begin()
        finish = self._finished.adder(ROUTED)
        next_offset: int | None = None
        for offset, message in messages:
            if next_offset is not None and offset != next_offset:
                _skip(next_offset, offset, finish)
            next_offset = offset + 1
            if message[0] == "revoke":
                ready.add_message(message)
                finish(offset)
                continue
            partition, input_offset, raw = _raw_of(message)
            event = event_of(raw)
            time_us = _time_of(event, raw[3])
            place_id = event["order_id"] if event["type"] == "place" else None
            verdict = self._buffer.offer(
                time_us, ROUTED, offset, ("routed", message, place_id), now_us
            )
            if verdict == "held" or verdict == "due":
                if place_id is not None:
                    self._count_place(place_id)
                if verdict == "due":
                    self._release(self._buffer.release(), ready)
                continue
            if ready.runs and self._may_be_repeat(event):
                yield ready
                ready = self._begin()
            if self._is_taken_now(verdict, event):
                ready.add_message(message)
            else:
                refusal = self._refusal(verdict, event, time_us)
                ready.answers.append((partition, refused_decision(input_offset, refusal)))
                ready.refused.append(RefusedEvent(refusal, partition, input_offset, *raw[:3]))
            finish(offset)
        yield ready

    def is_due(self, now_us: int) -> bool:
        """Whether `release_idle` would release anything."""
        return self._buffer.is_due(now_us)

    def release_idle(self, now_us: int) -> Ready:
        """Let go of what the clock has reached.

        Only after `ReorderPolicy.quiet_ms` without a newly held event.

        Args:
            now_us: wall clock, of a moment of which all is read that was there.
        """
        ready = self._begin()
        self._release(self._buffer.release_idle(now_us), ready)
        return ready

    def write(self, positions: tuple[int, int]) -> tuple[int, int]:
        """Write what this transaction has finished; the last thing before its commit.

        Args:
            positions: the next offsets to read of ``orders.events`` and ``orders.routed``.

        Returns:
            The offsets to commit: of the oldest that waits, else the position.
        """
        lowest = self._buffer.lowest(EVENTS), self._buffer.lowest(ROUTED)
        committed = (
            positions[EVENTS] if lowest[EVENTS] is None else lowest[EVENTS],
            positions[ROUTED] if lowest[ROUTED] is None else lowest[ROUTED],
        )
        self._finished.write(committed)
        return committed

    def mark(self, positions: tuple[int, int]) -> ReorderMark:
        """How far events are put in order, for the position.

        Args:
            positions: as for `write`.
        """
        return {
            "released_us": self._buffer.released_us,
            "events_read": positions[EVENTS],
            "routed_read": positions[ROUTED],
        }

    def put_back_events(
        self, inputs: Iterable[Input], records: Sequence[InputRecord], finished: Runs
    ) -> None:
        """Hold again what was held, of events between the committed offset and ``events_read``.

        Unjudged, whatever the clock and the live orders are now: it was judged when it was read.

        Args:
            inputs: the events.
            records: what they were read from, one for each.
            finished: the offsets that are finished.
        """
        for one, record in zip(inputs, records, strict=True):
            offset, time_us, event = one
            if has(finished, offset):
                continue
            if type(event) is Refusal:
                # It was readable, under other limits. It is refused when its time has come.
                self._buffer.hold(time_us, EVENTS, offset, ("event", one, record))
                continue
            stated_us = event.get("occurred_at")
            if stated_us is not None:
                time_us = stated_us
            if self._travels and event["type"] == "place":
                self._count_place(event["order_id"])
            held: _Held = "event", one, record if self._travels else None
            self._buffer.hold(time_us, EVENTS, offset, held)

    def put_back_routed(self, messages: Iterable[tuple[int, ToStream]], finished: Runs) -> None:
        """The same of ``orders.routed``, up to ``routed_read``.

        Raises:
            ValueError: an event on its way is none, or a revoke, which never waits, is not
                finished.
        """
        for offset, message in messages:
            if has(finished, offset):
                continue
            if message[0] == "revoke":
                raise ValueError(f"the revoke at offset {offset} was read but not finished")
            _, _, raw = _raw_of(message)
            event = event_of(raw)
            place_id = event["order_id"] if event["type"] == "place" else None
            if place_id is not None:
                self._count_place(place_id)
            self._buffer.hold(
                _time_of(event, raw[3]), ROUTED, offset, ("routed", message, place_id)
            )

    def _begin(self) -> Ready:
        """By now all that the last call let go of is applied."""
        for order_id in self._left:
            count = self._places[order_id] - 1
            if count:
                self._places[order_id] = count
            else:
                del self._places[order_id]
        self._left.clear()
        return Ready([], [], [])

    def _goes_on(self, event: Event) -> bool:
        """Whether an event is another stream's, or on an order that is not known here."""
        user_id = event.get("user_id")
        if user_id is not None:
            return self._orders.is_foreign(user_id)
        if not self._travels or event["type"] == "cancel_all_by_user":
            return False
        order_id = event["order_id"]
        return order_id not in self._orders and order_id not in self._places

    def _may_be_repeat(self, event: Event) -> bool:
        """Whether the stream must have seen all before it, to tell."""
        return self._seen is not None and event.get("event_id") is not None

    def _is_taken_now(self, verdict: Verdict, event: Event) -> bool:
        """Whether an event out of time goes to the stream nevertheless.

        A repeat does: whoever sends it must not be told that it was refused.
        """
        if verdict == "late" and self._applies_late:
            return True
        event_id = event.get("event_id")
        return self._seen is not None and event_id is not None and id_digest(event_id) in self._seen

    def _refusal(self, verdict: Verdict, event: Event, time_us: int) -> Refusal:
        time = format_time(time_us)
        if verdict == "late":
            newer = format_time(self._buffer.released_us)
            detail = f"event time {time} is before {newer}, up to which events are applied already"
        else:
            detail = f"event time {time} is more than {self._max_future_ms} ms ahead of the clock"
        return Refusal(
            "too_late" if verdict == "late" else "too_early",
            detail,
            event["type"],
            None if event["type"] == "cancel_all_by_user" else event["order_id"],
            event.get("user_id"),
            event.get("event_id"),
            time_us,
        )

    def _count_place(self, order_id: str) -> None:
        self._places[order_id] = self._places.get(order_id, 0) + 1

    def _release(self, entries: list[Entry[_Held]], ready: Ready) -> None:
        finish = self._finished.adder(EVENTS), self._finished.adder(ROUTED)
        travels = self._travels
        for _, source, offset, held in entries:
            finish[source](offset)
            if held[0] == "event":
                _, one, record = held
                event = one[2]
                if type(event) is Refusal:
                    assert record is not None, "kept for its dead letter"
                    ready.refused.append(_refused(event, self._orders.stream, offset, record))
                elif travels and event["type"] == "place":
                    self._left.append(event["order_id"])
                ready.add_event(one, record if travels else None)
            else:
                _, message, place_id = held
                if place_id is not None:
                    self._left.append(place_id)
                ready.add_message(message)


def _skip(first: int, end: int, finish: Callable[[int], None]) -> None:
    """Count as finished what is no record: runs of finished offsets get longer by it.

    Transaction markers are such. A long gap is not worth it.
    """
    if end - first <= _SMALL_GAP:
        for offset in range(first, end):
            finish(offset)


def _raw_of(message: RoutedEvent | RoutedCommand) -> tuple[int, int, RawEvent]:
    """Where an event on its way stands, partition and offset, and its record."""
    if message[0] == "routed_event":
        _, _, partition, offset, raw = message
    else:
        _, _, _, (_, _, partition, offset, raw) = message
    return partition, offset, raw


def _time_of(event: Event, timestamp_ms: int) -> int:
    stated_us = event.get("occurred_at")
    return record_time_us(timestamp_ms) if stated_us is None else stated_us


def _refused(refusal: Refusal, partition: int, offset: int, record: InputRecord) -> RefusedEvent:
    return RefusedEvent(refusal, partition, offset, record.key, record.value, record.headers)
