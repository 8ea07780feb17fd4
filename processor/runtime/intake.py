"""From records as read to a stream: as they come, or in the order of their times."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from processor.core.event_order import EventOrder
from processor.core.finished import EVENTS, ROUTED
from processor.core.messages import ToStream
from processor.core.ready import EventRun, Ready
from processor.core.routed_records import read_routed
from processor.core.stream import Input
from processor.runtime.applier import Applier
from processor.runtime.context import TaskContext
from processor.runtime.dead_letters import DeadLetters
from processor.runtime.inputs import read_inputs
from processor.runtime.ports import InputReader, InputRecord, StreamWriter
from processor.runtime.queue_records import read_queue
from schemas.commit import ReorderMark

_log = logging.getLogger(__name__)

_COMPLAIN_EVERY_MS = 10_000


class Intake(Protocol):
    """Takes records of ``orders.events`` and ``orders.routed`` to the stream."""

    def take(self, topic: str, records: Sequence[InputRecord]) -> int:
        """Take records of a topic; the bytes written."""

    async def is_due(self) -> bool:
        """Whether `take_due` would do anything.

        Raises:
            FootingLost: the broker failed us.
        """

    def take_due(self) -> int:
        """Do what time alone has brought; the bytes written."""

    def finish(self) -> Mapping[str, int]:
        """The last thing in a transaction; the offsets to commit, by topic."""

    def mark(self) -> ReorderMark | None:
        """How far events are put in order; None if they are not."""


class _Reading:
    """What both intakes need: records, and what they say."""

    def __init__(self, context: TaskContext, writer: StreamWriter, reader: InputReader) -> None:
        self.topics = context.plan.topics
        self.letters = DeadLetters(context, writer)
        self._stream = context.stream
        self._max_event_bytes = context.settings.max_event_bytes
        self._broker = context.broker
        self._reader = reader
        routed = (self.topics.routed,) if self.topics.directory_on else ()
        self._sources = (self.topics.events, *routed)

    def inputs(self, records: Sequence[InputRecord]) -> Iterator[Input]:
        """Events; what is none gets a dead letter."""
        return read_inputs(records, self._max_event_bytes, self.letters.refuse)

    def messages(self, records: Sequence[InputRecord]) -> Iterator[ToStream]:
        """What others sent."""
        name = f"{self.topics.routed}/{self._stream}"
        return read_queue(name, records, partial(read_routed, stream=self._stream))

    def positions(self) -> tuple[int, int]:
        """The next offsets of ``orders.events`` and of ``orders.routed``, 0 where there is none."""
        at = [self._reader.position(topic) for topic in self._sources]
        return at[EVENTS], at[ROUTED] if self.topics.directory_on else 0

    def by_topic(self, offsets: tuple[int, int]) -> dict[str, int]:
        """Such offsets, by topic."""
        return dict(zip(self._sources, offsets, strict=False))

    async def ends(self) -> tuple[int, ...]:
        """Where the sources end now, open transactions included."""
        return tuple([await self._broker.end(topic, self._stream) for topic in self._sources])

    def has_reached(self, ends: tuple[int, ...]) -> bool:
        """Whether all before these ends was read."""
        at = zip(self._sources, ends, strict=True)
        return all(self._reader.position(topic) >= end for topic, end in at)


class AsTheyCome:
    """An `Intake` that holds nothing back."""

    def __init__(
        self, context: TaskContext, writer: StreamWriter, reader: InputReader, applier: Applier
    ) -> None:
        self._reading = _Reading(context, writer, reader)
        self._applier = applier

    def take(self, topic: str, records: Sequence[InputRecord]) -> int:
        """Part of `Intake`."""
        reading = self._reading
        if topic == reading.topics.routed:
            return self._applier.take_routed(reading.messages(records))
        written = self._applier.take_events(reading.inputs(records), records)
        return written + reading.letters.write()

    async def is_due(self) -> bool:
        """Part of `Intake`."""
        return False

    def take_due(self) -> int:
        """Part of `Intake`."""
        return 0

    def finish(self) -> Mapping[str, int]:
        """Part of `Intake`."""
        return self._reading.by_topic(self._reading.positions())

    def mark(self) -> None:
        """Part of `Intake`."""


class _Quiet(NamedTuple):
    """When a stream was found quiet, wall clock in microseconds, and where its sources ended then.

    The end of a source is asked for, as what a reader knows of it may be old: what came while this
    process was suspended is there, and must not be late.
    """

    now_us: int
    ends: tuple[int, ...]


class ByTime:
    """An `Intake` that holds events until their time."""

    def __init__(
        self,
        context: TaskContext,
        writer: StreamWriter,
        reader: InputReader,
        applier: Applier,
        order: EventOrder,
    ) -> None:
        self._stream = context.stream
        self._clock = context.clock
        self._policy = context.settings.reorder
        self._reading = _Reading(context, writer, reader)
        self._applier = applier
        self._order = order
        self._last_held_ms = context.clock.monotonic_ms()
        self._quiet: _Quiet | None = None
        self._complained_ms: int | None = None
        self._early_released = 0

    def take(self, topic: str, records: Sequence[InputRecord]) -> int:
        """Part of `Intake`."""
        reading, now_us = self._reading, self._clock.now_us()
        held_ever = self._order.held_ever
        if topic == reading.topics.routed:
            offsets = (record.offset for record in records)
            sent = zip(offsets, reading.messages(records), strict=True)
            written = self._do_all(self._order.take_routed(sent, now_us))
        else:
            inputs = reading.inputs(records)
            written = self._do_all(self._order.take_events(inputs, records, now_us))
        if self._order.held_ever != held_ever:
            # What does not wait does not keep others waiting.
            self._last_held_ms, self._quiet = self._clock.monotonic_ms(), None
        self._complain_of_early_releases()
        return written

    async def is_due(self) -> bool:
        """Part of `Intake`: something waits, it was quiet, and all that was there then is read."""
        if self._quiet is None:
            quiet_ms = self._clock.monotonic_ms() - self._last_held_ms
            now_us = self._clock.now_us()
            if quiet_ms < self._policy.quiet_ms or not self._order.is_due(now_us):
                return False
            self._quiet = _Quiet(now_us, await self._reading.ends())
        return self._reading.has_reached(self._quiet.ends)

    def take_due(self) -> int:
        """Part of `Intake`."""
        quiet = self._quiet
        if quiet is None or not self._reading.has_reached(quiet.ends):
            return 0
        self._quiet = None
        return self._do(self._order.release_idle(quiet.now_us))

    def finish(self) -> Mapping[str, int]:
        """Part of `Intake`."""
        return self._reading.by_topic(self._order.write(self._reading.positions()))

    def mark(self) -> ReorderMark | None:
        """Part of `Intake`: None once nothing is left of a time with a window."""
        if self._policy.window_ms == 0 and self._order.held == 0:
            return None
        return self._order.mark(self._reading.positions())

    def _do_all(self, parts: Iterable[Ready]) -> int:
        return sum(self._do(ready) for ready in parts)

    def _do(self, ready: Ready) -> int:
        written = 0
        for run in ready.runs:
            if isinstance(run, EventRun):
                written += self._applier.take_events(run.inputs, run.records)
            else:
                written += self._applier.take_routed(run.messages)
        for refused in ready.refused:
            self._reading.letters.add(refused)
        return written + self._applier.answer(ready.answers) + self._reading.letters.write()

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
