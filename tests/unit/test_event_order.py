"""What waits for its time, what does not, and what a task gets to do."""

from typing import Any

import pytest

from processor.core.directory.indexed_stream import IndexedStream
from processor.core.directory.messages import ToStream
from processor.core.event_time.event_order import EventOrder
from processor.core.event_time.finished_offsets import FinishedOffsets
from processor.core.event_time.progress_log import ProgressLog
from processor.core.event_time.released import EventRun, Ready, RoutedRun
from processor.core.event_time.reorder import ReorderPolicy
from processor.core.event_time.seen_ids import SeenIds, id_digest
from processor.core.orders.stream import OrderStream
from processor.wire.event import Refusal, parse_event
from processor.wire.progress import parse_progress
from processor.wire.timestamp import format_time
from tests.builders import encode, place_fields, user_of
from tests.property.late_task import Stored

HERE, ELSEWHERE = user_of(0, 2), user_of(1, 2)
NOW_US = 1_000_000
CANCEL = {"type": "cancel", "order_id": "o1"}


class Task:
    """Stream 0 of 2 with a window of 10 ms, whose clock stands at 1 s."""

    def __init__(
        self, orders: OrderStream | None = None, seen: SeenIds | None = None, **policy: Any
    ) -> None:
        self.orders = IndexedStream(0, 2) if orders is None else orders
        self.log = ProgressLog()
        policy = {"window_ms": 10, "max_future_ms": 100} | policy
        finished = FinishedOffsets(self.log)
        self.order = EventOrder(self.orders, ReorderPolicy(**policy), finished, seen=seen)
        self.offset = 0

    def read(self, *events: dict[str, Any] | bytes, first: int | None = None) -> Ready:
        """Read events of ``orders.events``, each with its time in milliseconds as ``at``."""
        records = []
        for offset, one in enumerate(events, self.offset if first is None else first):
            if isinstance(one, dict):
                fields = {name: value for name, value in one.items() if name != "at"}
                record = Stored(offset, one["at"], b"k", encode(**fields), [("trace", b"x")])
            else:
                record = Stored(offset, 0, b"k", one, [])
            records.append(record)
            self.offset = offset + 1
        inputs = [(one.offset, one.timestamp * 1000, parse_event(one.value)) for one in records]
        (ready,) = self.order.take_events(inputs, records, NOW_US)
        return ready

    def read_routed(self, offset: int, message: ToStream) -> Ready:
        """Read what another task sent here."""
        (ready,) = self.order.take_routed([(offset, message)], NOW_US)
        return ready

    def apply(self, ready: Ready) -> None:
        """Let the stream take what is ready."""
        assert isinstance(self.orders, IndexedStream)
        for run in ready.runs:
            if isinstance(run, EventRun):
                self.orders.take(run.inputs, run.records)
            else:
                self.orders.take_routed(run.messages)


def place(order_id: str, at: int, user_id: str = HERE, **more: Any) -> dict[str, Any]:
    return place_fields(order_id, user_id, at=at, **more)


def routed_event(at: int, **fields: Any) -> ToStream:
    return "routed_event", 0, 1, 77, (b"k", encode(**fields), [("trace", b"x")], at)


def offsets(ready: Ready) -> list[int]:
    return [one[0] for run in ready.runs if isinstance(run, EventRun) for one in run.inputs]


@pytest.mark.parametrize(
    "event",
    [place("o1", 500, ELSEWHERE), CANCEL | {"at": 500}, b"{"],
    ids=["another stream's", "on an order that is not here", "no event"],
)
def test_what_is_not_finished_here_does_not_wait(event: dict[str, Any] | bytes) -> None:
    task = Task()
    ready = task.read(event)
    assert offsets(ready) == [0]
    assert [
        one.offset for run in ready.runs if isinstance(run, EventRun) for one in run.records
    ] == [0]
    assert task.order.held == 0


def test_without_a_directory_only_foreign_events_do_not_wait_and_records_are_not_kept() -> None:
    task = Task(OrderStream(0, 2))
    ready = task.read(CANCEL | {"at": 500}, place("o1", 500, ELSEWHERE), place("o2", 510))
    assert offsets(ready) == [1, 0]
    assert [run.records for run in ready.runs if isinstance(run, EventRun)] == [[]]


def test_a_command_waits_for_an_order_that_is_live_or_whose_place_waits() -> None:
    task = Task()
    assert offsets(task.read(place("o1", 500), CANCEL | {"at": 501})) == []
    ready = task.read(place("o2", 510))
    assert offsets(ready) == [0]
    # Let go but maybe not applied yet: commands that are read with it still wait.
    task.apply(ready)
    assert offsets(task.read(CANCEL | {"at": 505})) == []
    task.apply(task.read(place("o3", 520)))
    assert "o1" not in task.orders
    assert offsets(task.read(CANCEL | {"at": 520})) == [5]


def test_a_command_read_together_with_what_lets_its_place_go_waits_as_well() -> None:
    task = Task()
    assert offsets(task.read(place("o1", 500), place("o2", 510), CANCEL | {"at": 505})) == [0]


def test_a_routed_place_that_waits_is_known_to_commands() -> None:
    task = Task()
    message = routed_event(500, **place_fields("o1", HERE))
    assert task.read_routed(4, message).runs == []
    assert offsets(task.read(CANCEL | {"at": 501})) == []
    first, second = task.read(place("o2", 511)).runs
    assert first == RoutedRun([message])
    assert isinstance(second, EventRun)
    assert [one[:2] for one in second.inputs] == [(0, 501_000)]
    assert [one.value for one in second.records] == [encode(**CANCEL)]


def test_a_revoke_does_not_wait() -> None:
    task = Task()
    revoke: ToStream = "revoke", 0, "o1", 1, 0, 5
    task.read_routed(3, routed_event(500, **place_fields("o1", HERE)))
    assert task.read_routed(4, revoke).runs == [RoutedRun([revoke])]
    assert task.order.write((0, 5)) == (0, 3)


@pytest.mark.parametrize("late_events", ["apply", "reject"])
@pytest.mark.parametrize(
    ("at", "reason"), [(400, "too_late"), (1101, "too_early")], ids=["late", "early"]
)
def test_an_event_out_of_time_is_refused_with_a_dead_letter(
    at: int, reason: str, late_events: str
) -> None:
    task = Task(late_events=late_events)
    task.read(place("o1", 500), place("o2", 510))
    event = place("o3", at, event_id="e1")
    ready = task.read(event)
    (run,) = ready.runs
    assert isinstance(run, EventRun)
    ((offset, _, given),) = run.inputs
    assert (offset, task.order.held) == (2, 1)
    if reason == "too_late" and late_events == "apply":
        assert (type(given), ready.refused) == (dict, [])
        return
    assert isinstance(given, Refusal)
    assert (given.reason, given.at_us, given.event_id) == (reason, at * 1000, "e1")
    (decision,) = task.orders.step(run.inputs).decisions
    assert decision == (2, "place", "o3", HERE, "e1", at * 1000, reason, None)
    (letter,) = ready.refused
    assert (letter.refusal, letter.partition, letter.offset) == (given, 0, 2)
    assert (letter.key, letter.value) == (b"k", encode(**place_fields("o3", HERE, event_id="e1")))
    assert format_time(at * 1000) in given.detail


def test_a_routed_event_out_of_time_is_answered_where_it_was_read() -> None:
    task = Task()
    ready = task.read_routed(4, routed_event(1101, **place_fields("o1", HERE)))
    assert ready.runs == []
    assert ready.answers == [(1, (77, "place", "o1", HERE, None, 1_101_000, "too_early", None))]
    (letter,) = ready.refused
    assert (letter.partition, letter.offset, letter.key) == (1, 77, b"k")
    assert (letter.value, letter.headers) == (encode(**place_fields("o1", HERE)), [("trace", b"x")])
    assert task.order.write((0, 5)) == (0, 5)


@pytest.mark.parametrize("at", [400, 1101])
def test_a_repeat_out_of_time_is_left_to_the_stream(at: int) -> None:
    seen = SeenIds(9)
    seen.add(id_digest("e1"))
    task = Task(seen=seen, late_events="reject")
    task.read(place("o1", 500), place("o2", 510))
    ready = task.read(place("o3", at, event_id="e1"))
    (run,) = ready.runs
    assert isinstance(run, EventRun)
    assert task.orders.step(run.inputs, seen).decisions[0][6] == "duplicate_event"
    assert (ready.refused, task.order.held) == ([], 1)


def test_the_committed_offset_is_that_of_the_oldest_that_waits() -> None:
    task = Task()
    task.read(place("o1", 505), place("o2", 500), place("o3", 501), place("o4", 512))
    assert task.order.write((9, 2)) == (0, 2)
    ((key, value, _),) = task.log.drain()
    assert key == b"finished/0000000000000001"
    assert parse_progress(value or b"") == {
        "schema": 1, "type": "finished", "seq": 1, "events": [1, -1], "routed": [],
    }  # fmt: skip
    task.read(place("o5", 515))
    assert task.order.write((9, 2)) == (3, 2)
    assert [record[1] for record in task.log.drain()] == [None]


def test_offsets_without_a_record_do_not_break_a_run() -> None:
    task = Task()
    task.read(place("o1", 520))
    inputs, records = [], []
    for offset in (2, 4, 6, 30):
        record = Stored(offset, 500, None, b"{", [])
        records.append(record)
        inputs.append((offset, 500_000, parse_event(b"{")))
    list(task.order.take_events(inputs, records, NOW_US))
    task.order.write((31, 0))
    ((_, value, _),) = task.log.drain()
    assert parse_progress(value or b"")["events"] == [2, -4, 23]  # type: ignore[typeddict-item]


def test_an_event_that_is_none_any_more_after_a_restart_is_refused_in_its_time() -> None:
    task = Task()
    record = Stored(3, 500, b"k", b"too long now", [])
    refusal = Refusal("too_large", "d")
    task.order.put_back_events([(3, 500_000, refusal)], [record], [])
    assert task.order.write((4, 0)) == (3, 0)
    ready = task.read(place("o1", 510), first=4)
    assert offsets(ready) == [3]
    assert [(one.refusal, one.offset) for one in ready.refused] == [(refusal, 3)]


def test_a_revoke_that_waited_is_a_broken_log() -> None:
    with pytest.raises(ValueError, match="revoke at offset 4"):
        Task().order.put_back_routed([(4, ("revoke", 0, "o1", 1, 0, 5))], [])


def _reasons(seen: SeenIds, *events: dict[str, Any]) -> list[str | None]:
    """What the stream answers to events that are read in one go, late ones refused."""
    task = Task(OrderStream(0, 2), seen=seen, late_events="reject")
    records = [Stored(offset, one["at"], None, b"{}", []) for offset, one in enumerate(events)]
    inputs = [
        (
            offset,
            one["at"] * 1000,
            parse_event(encode(**{name: value for name, value in one.items() if name != "at"})),
        )
        for offset, one in enumerate(events)
    ]
    found: list[str | None] = []
    for ready in task.order.take_events(inputs, records, NOW_US):
        for run in ready.runs:
            assert isinstance(run, EventRun)
            found += [one[6] for one in task.orders.step(run.inputs, seen).decisions]
    return found


def test_a_late_repeat_is_known_if_what_it_repeats_was_let_go_in_the_same_call() -> None:
    again = place("o1", 500, event_id="e1")
    told = _reasons(SeenIds(9), again, place("o2", 501), place("o3", 511), again)
    assert told == [None, None, "duplicate_event"]


def test_a_late_repeat_is_late_if_its_id_was_forgotten_in_the_same_call() -> None:
    seen = SeenIds(1)
    seen.add(id_digest("e1"))
    late = place("o1", 499, event_id="e1")
    assert _reasons(seen, place("o2", 501), place("o3", 511), late) == [None, "too_late"]
