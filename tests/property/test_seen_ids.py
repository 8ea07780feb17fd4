"""Repeats by ``event_id``: a stream against a list that is searched from end to end."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from processor.core.event_time.progress_log import ProgressLog
from processor.core.event_time.progress_table import ProgressTable
from processor.core.event_time.seen_blocks import SeenBlocks
from processor.core.event_time.seen_ids import SeenIds, id_digest
from processor.core.orders.stream import OrderStream
from processor.wire.record import Record
from tests.model import partition_of
from tests.property.late_task import compact
from tests.property.strategies import Event, as_input, events, refusals

event_ids = st.one_of(st.none(), st.sampled_from([f"e{n}" for n in range(8)]))


class NaiveMemory:
    """The ids (or None) of all events that were finished."""

    def __init__(self, max_events: int) -> None:
        self._max_events = max_events
        self._ids: list[str | None] = []

    def is_repeat(self, event_id: str | None) -> bool:
        """Whether one of the last events had the id."""
        return event_id is not None and event_id in self._ids[-self._max_events :]

    def finish(self, event_id: str | None) -> None:
        """An event is finished."""
        self._ids.append(event_id)


class Restarted:
    """Seen ids with their records; each restart brings them back from those."""

    def __init__(self, max_events: int) -> None:
        self._max_events = max_events
        self._records: list[Record] = []
        self._log = ProgressLog()
        self.seen = SeenIds(max_events)
        self._blocks = SeenBlocks(self._log)

    def commit(self) -> None:
        """End a transaction."""
        self._blocks.write(self.seen)
        self._records += self._log.drain()

    def restart(self, *, compacted: bool) -> None:
        """Come back from the records."""
        table = ProgressTable()
        for record in compact(self._records) if compacted else self._records:
            table.put(*record)
        extents = self._log.extents
        assert table.extents == (extents["records"], extents["sum"])
        self._log = table.log(extents["seq"])
        self.seen, self._blocks = table.seen_ids(self._log, self._max_events, self.seen.events)

    @property
    def records(self) -> list[Record]:
        """What the topic holds, compacted."""
        return compact(self._records)


@st.composite
def batches(draw: st.DrawFn) -> list[list[Event | str]]:
    """Batches of events with ids, and of what is refused."""
    with_ids = st.builds(lambda event, one: {**event, "event_id": one}, events, event_ids)
    return draw(st.lists(st.lists(st.one_of(with_ids, with_ids, with_ids, refusals), max_size=9)))


@given(batches(), st.sampled_from([1, 2, 5, 100]), st.integers(1, 2), st.data())
def test_repeats_are_known_as_a_list_would_know_them(
    given_batches: list[list[Event | str]],
    max_events: int,
    num_streams: int,
    data: st.DataObject,
) -> None:
    memory, judge = Restarted(max_events), NaiveMemory(max_events)
    stream, plain = OrderStream(0, num_streams), OrderStream(0, num_streams)
    offset = 0
    for batch in given_batches:
        inputs = [as_input(offset + n, one) for n, one in enumerate(batch)]
        offset += len(batch)
        found = stream.step(inputs, memory.seen).decisions
        for one, decision, event in zip(inputs, found, batch, strict=True):
            if expects_repeat(event, judge, num_streams):
                assert decision[6] == "duplicate_event"
                assert decision[:6] == as_decided(one[0], one[1], event)
            else:
                assert [decision] == plain.step([one]).decisions
            if is_finished(event, num_streams):
                assert isinstance(event, dict)
                judge.finish(event["event_id"])
        memory.commit()
        if data.draw(st.booleans()):
            memory.restart(compacted=data.draw(st.booleans()))
    assert stream.orders() == plain.orders()


def is_finished(event: Event | str, num_streams: int) -> bool:
    if isinstance(event, str):
        return False
    user_id = event.get("user_id")
    return user_id is None or partition_of(user_id, num_streams) == 0


def expects_repeat(event: Event | str, judge: NaiveMemory, num_streams: int) -> bool:
    return (
        is_finished(event, num_streams)
        and isinstance(event, dict)
        and judge.is_repeat(event["event_id"])
    )


def as_decided(offset: int, record_time_us: int, event: Event | str) -> tuple[Any, ...]:
    """All of a decision but its end."""
    offset, at_us, parsed = as_input(offset, event)
    assert isinstance(event, dict)
    at_us = parsed.get("occurred_at") or record_time_us  # type: ignore[union-attr]
    return (
        offset, event["type"], event.get("order_id"), event.get("user_id"), event["event_id"], at_us
    )  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 30)), max_size=12), st.data())
def test_long_batches_come_back_whole(
    given_batches: list[tuple[int, int]], data: st.DataObject
) -> None:
    max_events = data.draw(st.integers(1, 300))
    memory, judge = Restarted(max_events), NaiveMemory(max_events)
    number = restarts = 0
    for named, nameless in given_batches:
        for _ in range(named):
            number += 1
            memory.seen.add(id_digest(f"e{number % 70}"))
            judge.finish(f"e{number % 70}")
        if nameless:
            memory.seen.skip(nameless)
            for _ in range(nameless):
                judge.finish(None)
        memory.commit()
        if data.draw(st.booleans()):
            restarts += 1
            memory.restart(compacted=data.draw(st.booleans()))
        for n in range(71):
            assert (id_digest(f"e{n}") in memory.seen) == judge.is_repeat(f"e{n}")
        # One record for every 64 ids, one that is partly forgotten, one that is not full, and one
        # that was not when a task ended.
        assert len(memory.records) <= min(number, max_events) // 64 + 2 + restarts
