"""Released work of a task, as `processor.core.event_time.event_order` hands it out."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from processor.core.directory.messages import Answer, ToStream
from processor.core.orders.stream import Input
from processor.wire.event import Refusal
from processor.wire.record import EventRecord, Header


class InputRecord(EventRecord, Protocol):
    """An event's record and its offset."""

    @property
    def offset(self) -> int: ...


class EventRun(NamedTuple):
    """Events to take now, and the record of each; no records for a stream without a directory."""

    inputs: list[Input]
    records: list[InputRecord]


class RoutedRun(NamedTuple):
    """The messages of others, to take now."""

    messages: list[ToStream]


class RefusedEvent(NamedTuple):
    """An event that is refused here and gets a dead letter: why, where it stands, and what."""

    refusal: Refusal
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]


class Ready(NamedTuple):
    """The work to do now.

    ``runs`` are for the stream, in order, with what is refused of the events that this task read;
    ``answers`` are the final ones to refused events that others read. ``refused`` is what gets a
    dead letter, beside what could not be read.
    """

    runs: list[EventRun | RoutedRun]
    answers: list[Answer]
    refused: list[RefusedEvent]

    def add_event(self, one: Input, record: InputRecord | None) -> None:
        """Let an event go to the stream; a record only if the stream has a directory."""
        runs = self.runs
        run = runs[-1] if runs else None
        if type(run) is not EventRun:
            run = EventRun([], [])
            runs.append(run)
        run.inputs.append(one)
        if record is not None:
            run.records.append(record)

    def add_message(self, message: ToStream) -> None:
        """Let go of what others sent here."""
        runs = self.runs
        run = runs[-1] if runs else None
        if type(run) is not RoutedRun:
            run = RoutedRun([])
            runs.append(run)
        run.messages.append(message)
