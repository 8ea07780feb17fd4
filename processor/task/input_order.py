"""From records as read to a stream: as they come, or in the order of their times."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from processor.core.directory.messages import ToStream
from processor.core.directory.routed_records import read_routed
from processor.core.event_time.event_order import EventOrder
from processor.core.event_time.finished_offsets import EVENTS, ROUTED
from processor.core.event_time.released import EventRun, Ready
from processor.core.orders.stream import Input
from processor.task.context import TaskContext
from processor.task.dead_letter_writer import DeadLetters
from processor.task.event_inputs import read_inputs
from processor.task.input_positions import InputPositions
from processor.task.ports import Partition
from processor.task.queue_records import read_queue
from processor.task.slice_writer import SliceWriter
from processor.task.stream_effects import StreamEffects
from processor.wire.position import ReorderMark
from processor.wire.record import InputRecord

_log = logging.getLogger(__name__)

_COMPLAIN_EVERY_MS = 10_000


class InputOrder(Protocol):
    """Takes records of ``orders.events`` and ``orders.routed`` to the stream."""

    def take(self, topic: str, records: Sequence[InputRecord]) -> None:
        """Take records of a topic."""

    async def is_due(self) -> bool:
        """Whether `take_due` would do anything.

        Raises:
            TaskLost: the broker failed us.
        """

    def take_due(self) -> None:
        """Do what time alone has brought."""

    def finish(self) -> Mapping[str, int]:
        """The last thing in a slice; the offsets to commit, by topic."""

    def mark(self) -> ReorderMark | None:
        """How far events are put in order; None if they are not."""


class _Reading:
    """Reading records, for both orders."""

    def __init__(
        self, context: TaskContext, writer: SliceWriter, positions: InputPositions
    ) -> None:
        self.topics = context.identity.topics
        self.letters = DeadLetters(context, writer)
        self._stream = context.stream
        self._max_event_bytes = context.settings.max_event_bytes
        self._broker = context.broker
        self._positions = positions
        self._sources = (self.topics.events, self.topics.routed)

    def inputs(self, records: Sequence[InputRecord]) -> Iterator[Input]:
        """Events; what is none gets a dead letter."""
        return read_inputs(records, self._max_event_bytes, self.letters.refuse)

    def messages(self, records: Sequence[InputRecord]) -> Iterator[ToStream]:
        """The messages of others."""
        name = f"{self.topics.routed}/{self._stream}"
        return read_queue(name, records, partial(read_routed, stream=self._stream))

    def positions(self) -> tuple[int, int]:
        """The next offsets of ``orders.events`` and of ``orders.routed``."""
        return self._positions[self._sources[EVENTS]], self._positions[self._sources[ROUTED]]

    def by_topic(self, offsets: tuple[int, int]) -> dict[str, int]:
        """Offsets by topic."""
        return dict(zip(self._sources, offsets, strict=True))

    async def ends(self) -> tuple[int, ...]:
        """Where the sources end now, open transactions included."""
        partitions = [Partition(topic, self._stream) for topic in self._sources]
        found = await self._broker.offsets(partitions)
        return tuple(found[where].end for where in partitions)

    def has_reached(self, ends: tuple[int, ...]) -> bool:
        """Whether all before these ends was read."""
        at = zip(self._sources, ends, strict=True)
        return all(self._positions[topic] >= end for topic, end in at)


class ArrivalOrder:
    """An `InputOrder` that holds nothing back."""

    def __init__(
        self,
        context: TaskContext,
        writer: SliceWriter,
        positions: InputPositions,
        effects: StreamEffects,
    ) -> None:
        self._reading = _Reading(context, writer, positions)
        self._effects = effects

    def take(self, topic: str, records: Sequence[InputRecord]) -> None:
        """Part of `InputOrder`."""
        reading = self._reading
        if topic == reading.topics.routed:
            self._effects.take_routed(reading.messages(records))
        else:
            self._effects.take_events(reading.inputs(records), records)
            reading.letters.write()

    async def is_due(self) -> bool:
        """Part of `InputOrder`."""
        return False

    def take_due(self) -> None:
        """Part of `InputOrder`."""

    def finish(self) -> Mapping[str, int]:
        """Part of `InputOrder`."""
        return self._reading.by_topic(self._reading.positions())

    def mark(self) -> None:
        """Part of `InputOrder`."""


class _Quiet(NamedTuple):
    """When a stream was found quiet, wall clock in microseconds, and where its sources ended then.

    The end of a source is asked for, as what a reader knows of it may be old: what came while this
    process was suspended is there, and must not be late.
    """

    now_us: int
    ends: tuple[int, ...]


class EventTimeOrder:
    """An `InputOrder` that holds events until their time."""

    def __init__(
        self,
        context: TaskContext,
        writer: SliceWriter,
        positions: InputPositions,
        effects: StreamEffects,
        order: EventOrder,
    ) -> None:
        self._stream = context.stream
        self._clock = context.clock
        self._policy = context.settings.reorder
        self._reading = _Reading(context, writer, positions)
        self._effects = effects
        self._order = order
        self._last_held_ms = context.clock.monotonic_ms()
        self._quiet: _Quiet | None = None
        self._complained_ms: int | None = None
        self._early_released = 0

    def take(self, topic: str, records: Sequence[InputRecord]) -> None:
        """Part of `InputOrder`."""
        reading, now_us = self._reading, self._clock.now_us()
        held_ever = self._order.held_ever
        if topic == reading.topics.routed:
            offsets = (record.offset for record in records)
            sent = zip(offsets, reading.messages(records), strict=True)
            self._do_all(self._order.take_routed(sent, now_us))
        else:
            inputs = reading.inputs(records)
            self._do_all(self._order.take_events(inputs, records, now_us))
        if self._order.held_ever != held_ever:
            # Only held events reset the idle timer.
            self._last_held_ms, self._quiet = self._clock.monotonic_ms(), None
        self._complain_of_early_releases()

    async def is_due(self) -> bool:
        """Part of `InputOrder`: events are held, it was quiet, and all that was there is read."""
        if self._quiet is None:
            quiet_ms = self._clock.monotonic_ms() - self._last_held_ms
            now_us = self._clock.now_us()
            if quiet_ms < self._policy.quiet_ms or not self._order.is_due(now_us):
                return False
            self._quiet = _Quiet(now_us, await self._reading.ends())
        return self._reading.has_reached(self._quiet.ends)

    def take_due(self) -> None:
        """Part of `InputOrder`."""
        quiet = self._quiet
        if quiet is not None and self._reading.has_reached(quiet.ends):
            self._quiet = None
            self._do(self._order.release_idle(quiet.now_us))

    def finish(self) -> Mapping[str, int]:
        """Part of `InputOrder`."""
        return self._reading.by_topic(self._order.write(self._reading.positions()))

    def mark(self) -> ReorderMark | None:
        """Part of `InputOrder`: None once nothing is left of a time with a window."""
        if self._policy.window_ms == 0 and self._order.held == 0:
            return None
        return self._order.mark(self._reading.positions())

    def _do_all(self, parts: Iterable[Ready]) -> None:
        for ready in parts:
            self._do(ready)

    def _do(self, ready: Ready) -> None:
        for run in ready.runs:
            if isinstance(run, EventRun):
                self._effects.take_events(run.inputs, run.records)
            else:
                self._effects.take_routed(run.messages)
        for refused in ready.refused:
            self._reading.letters.add(refused)
        self._effects.answer(ready.answers)
        self._reading.letters.write()

    def _complain_of_early_releases(self) -> None:
        early = self._order.early_released
        now_ms = self._clock.monotonic_ms()
        quiet = self._complained_ms is None or now_ms - self._complained_ms >= _COMPLAIN_EVERY_MS
        if early > self._early_released and quiet:
            _log.warning(
                "stream %d: %d events were released before their time, for more than %d waited; "
                "raise reorder_max_events, or lower reorder_window_ms",
                self._stream,
                early - self._early_released,
                self._policy.max_events,
            )
            self._early_released, self._complained_ms = early, now_ms
