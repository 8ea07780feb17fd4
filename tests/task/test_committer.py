"""The committer alone: slices of several streams become rounds, one transaction each."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from processor.errors import KafkaUnavailable, RoundAborted, SessionLost, TaskLost
from processor.task.committer import Committer, RoundSettings
from processor.task.ports import Membership, Partition
from processor.task.slice_writer import SliceWriter
from processor.task.slices import Committed, Sealed
from processor.topics import Topics
from processor.wire.record import Record
from tests.fakes.broker import FakeBroker, FakeTransactions
from tests.fakes.clock import FakeClock
from tests.fakes.group import FakeGroup
from tests.fakes.kafka import FakeKafka
from tests.fakes.link import Fault
from tests.waiting import eventually, turns

TOPICS = Topics()
QUICK = RoundSettings(min_interval_ms=0, retry_backoff_ms=1)


def record(name: str) -> Record:
    """Some record."""
    return name.encode(), b"", []


class Stream:
    """A `Participant` that counts its slices, and remembers what it is told."""

    def __init__(self, stream: int) -> None:
        self.stream = stream
        self.failure: TaskLost | None = None
        self.slices = 0
        self.rounds: list[Committed] = []
        self.losses: list[TaskLost] = []

    def seal(self) -> Sealed:
        """Part of `Participant`."""
        self.slices += 1
        return Sealed(b"position %d" % self.slices, {TOPICS.events: 10 * self.slices})

    def committed(self, committed: Committed) -> None:
        """Part of `Participant`."""
        self.rounds.append(committed)

    def lost(self, error: TaskLost) -> None:
        """Part of `Participant`."""
        self.losses.append(error)
        self.failure = self.failure or error


class RecordingClock(FakeClock):
    """Remembers how long it was slept."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, duration_ms: float) -> None:
        self.slept.append(duration_ms)
        await super().sleep(duration_ms)


class Bench:
    """A committer over a Kafka in memory, with two streams."""

    def __init__(self, rounds: RoundSettings = QUICK) -> None:
        self.clock = RecordingClock()
        self.kafka = FakeKafka(2)
        self.broker = FakeBroker(self.kafka)
        self.link = self.broker.link
        self.committer = Committer(self.broker.transactions(), self.clock, TOPICS, rounds)
        self.committer.membership = Membership("m", 1)
        self.one, self.other = Stream(0), Stream(1)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Commit until the block ends."""
        job = asyncio.create_task(self.committer.run())
        try:
            yield
        finally:
            job.cancel()
            await asyncio.wait([job])

    def write(self, stream: Stream, *names: str, events: int = 1, topic: str = "") -> int:
        """Fill a slice; the bytes that it says were written."""
        where = Partition(topic or TOPICS.results, stream.stream)
        with self.committer.slice(stream, events) as filling:
            filling.write(where, [record(name) for name in names])
        return filling.written_bytes

    def write_badly(self, stream: Stream, name: str, touching: Stream | None = None) -> None:
        """Fill a slice, and break."""
        with self.committer.slice(stream) as filling:
            filling.write(Partition(TOPICS.results, stream.stream), [record(name)])
            if touching is not None:
                filling.touch(touching)
            raise ZeroDivisionError

    def keys(self, topic: str, stream: int = 0) -> list[str]:
        """What is committed in a partition."""
        return [(one.key or b"").decode() for one in self.kafka.log(topic, stream).records()]

    def positions(self, stream: int = 0) -> list[bytes]:
        """All positions that were committed."""
        return [one.value or b"" for one in self.kafka.log(TOPICS.progress, stream).records()]

    def offset(self, stream: int) -> int | None:
        """What the group was told."""
        where = Partition(TOPICS.events, stream)
        return self.kafka.group_offsets.get(("live-orders", where))

    def commits(self) -> int:
        """How many transactions were begun."""
        return self.link.calls.count("commit")


async def test_an_idle_committer_commits_a_slice_at_once() -> None:
    bench = Bench(RoundSettings(min_interval_ms=1_000))
    async with bench.running():
        bench.write(bench.one, "a")
        await eventually(lambda: bool(bench.one.rounds))
    assert bench.keys(TOPICS.results) == ["a"]
    assert bench.positions() == [b"position 1"]
    assert bench.offset(0) == 10
    assert bench.clock.slept == []


async def test_slices_that_come_while_a_round_is_on_its_way_are_the_next_round() -> None:
    bench = Bench()
    held = bench.link.hold("commit")
    async with bench.running():
        bench.write(bench.one, "a")
        await eventually(held.reached.is_set)
        bench.write(bench.one, "b", events=2)
        bench.write(bench.other, "c", events=3)
        bench.write(bench.one, "d", events=4)
        held.release()
        await eventually(lambda: len(bench.one.rounds) == 2)
    assert bench.commits() == 2
    assert bench.keys(TOPICS.results, 0) == ["a", "b", "d"]
    assert bench.keys(TOPICS.results, 1) == ["c"]
    # One position for each stream and round: the last one.
    assert bench.positions(0) == [b"position 1", b"position 3"]
    assert bench.positions(1) == [b"position 1"]
    assert (bench.offset(0), bench.offset(1)) == (30, 10)
    assert [one.events for one in bench.one.rounds] == [1, 6]
    assert [one.events for one in bench.other.rounds] == [3]


async def test_nothing_of_the_next_round_is_sent_before_the_one_before_is_committed() -> None:
    bench = Bench()
    held = bench.link.hold("end")
    async with bench.running():
        bench.write(bench.one, "a")
        await eventually(held.reached.is_set)
        ends = [bench.kafka.log(topic, stream).end for topic in TOPICS.all for stream in (0, 1)]
        bench.write(bench.one, "b")
        bench.write(bench.other, "c")
        await turns()
        assert bench.keys(TOPICS.results) == []
        assert ends == [
            bench.kafka.log(topic, stream).end for topic in TOPICS.all for stream in (0, 1)
        ]
        held.release()
        await eventually(lambda: bool(bench.other.rounds))


async def test_a_task_hears_what_was_committed_and_where_its_partitions_end() -> None:
    bench = Bench()
    async with bench.running():
        bench.write(bench.one, "a", "b")
        await eventually(lambda: bool(bench.one.rounds))
    (heard,) = bench.one.rounds
    assert heard.sealed == Sealed(b"position 1", {TOPICS.events: 10})
    assert heard.ends == {Partition(TOPICS.results, 0): 2, Partition(TOPICS.progress, 0): 1}


async def test_a_slice_without_records_is_a_round_with_a_position() -> None:
    bench = Bench()
    async with bench.running():
        bench.write(bench.one)
        await eventually(lambda: bool(bench.one.rounds))
    assert bench.positions() == [b"position 1"]


async def test_snapshots_do_not_count_as_written() -> None:
    bench = Bench()
    assert bench.write(bench.one, "a") > 0
    assert bench.write(bench.one, "a", topic=TOPICS.snapshots) == 0


async def test_a_slice_writer_writes_to_its_own_partition_unless_told() -> None:
    bench = Bench()
    writer = SliceWriter(bench.committer, 0)
    async with bench.running():
        with bench.committer.slice(bench.one):
            writer.write(TOPICS.results, [record("own")])
            writer.write(TOPICS.claims, [record("another's")], 1)
            writer.write(TOPICS.live, [])
        await eventually(lambda: bool(bench.one.rounds))
    assert bench.keys(TOPICS.results) == ["own"]
    assert bench.keys(TOPICS.claims, 1) == ["another's"]
    assert Partition(TOPICS.live, 0) not in bench.one.rounds[0].ends


# What a stream's own code or data breaks


async def test_a_slice_that_raises_is_dropped_and_all_others_are_committed() -> None:
    bench = Bench()
    held = bench.link.hold("commit")
    async with bench.running():
        bench.write(bench.other, "a")
        await eventually(held.reached.is_set)
        bench.write(bench.one, "b")
        bench.write(bench.other, "c")
        with pytest.raises(ZeroDivisionError):
            bench.write_badly(bench.one, "broken")
        held.release()
        await eventually(lambda: len(bench.other.rounds) == 2)
    assert bench.keys(TOPICS.results, 0) == ["b"]
    assert bench.keys(TOPICS.results, 1) == ["a", "c"]
    assert bench.positions(0) == [b"position 1"]
    assert (bench.one.losses, bench.other.losses) == ([], [])


async def test_a_seal_that_raises_drops_its_slice_too() -> None:
    bench = Bench()

    def boom() -> Sealed:
        raise ZeroDivisionError

    bench.one.seal = boom  # type: ignore[method-assign]
    async with bench.running():
        with pytest.raises(ZeroDivisionError):
            bench.write(bench.one, "broken")
        bench.write(bench.other, "a")
        await eventually(lambda: bool(bench.other.rounds))
    assert bench.keys(TOPICS.results, 0) == []


async def test_all_that_a_broken_slice_has_touched_are_lost_but_the_one_that_broke_it() -> None:
    bench = Bench()
    with pytest.raises(ZeroDivisionError):
        bench.write_badly(bench.one, "broken", touching=bench.other)
    assert isinstance(bench.other.failure, RoundAborted)
    assert bench.one.failure is None


async def test_a_slice_may_touch_other_streams_which_are_sealed_with_it() -> None:
    bench = Bench()
    async with bench.running():
        with bench.committer.slice(bench.one, 2) as filling:
            filling.touch(bench.other, 3)
            filling.write(Partition(TOPICS.results, 1), [record("told")])
        await eventually(lambda: bool(bench.other.rounds))
    assert bench.commits() == 1
    assert (bench.one.rounds[0].events, bench.other.rounds[0].events) == (2, 3)
    assert (bench.positions(0), bench.positions(1)) == ([b"position 1"], [b"position 1"])


async def test_slices_do_not_nest_and_nothing_is_written_outside_of_one() -> None:
    bench = Bench()
    with pytest.raises(AssertionError, match="outside"):
        _ = bench.committer.filling
    with pytest.raises(AssertionError, match="a slice within a slice"):  # noqa: SIM117
        with bench.committer.slice(bench.one):
            bench.write(bench.other, "a")
    # It is over: another one may begin.
    bench.write(bench.one, "a")


# Rounds that fail


@pytest.mark.parametrize("fault", Fault)
async def test_a_round_whose_outcome_is_unknown_loses_its_tasks_and_those_of_the_next(
    fault: Fault,
) -> None:
    bench = Bench()
    bench.link.fail(fault, "commit")
    held = bench.link.hold("commit")
    third = Stream(1)
    async with bench.running():
        bench.write(bench.one, "a")
        await eventually(held.reached.is_set)
        bench.write(bench.other, "b")
        held.release()
        await eventually(lambda: bench.link.calls.count("fence") == 2)
        assert isinstance(bench.one.failure, SessionLost)
        assert bench.other.failure is bench.one.failure
        assert bench.one.rounds == bench.other.rounds == []
        # Who had nothing in them goes on.
        bench.write(third, "c")
        await eventually(lambda: bool(third.rounds))
    assert bench.keys(TOPICS.results, 0) == (["a"] if fault is Fault.AFTER else [])
    assert bench.keys(TOPICS.results, 1) == ["c"]


async def test_an_aborted_round_loses_its_tasks_and_those_of_the_next_and_keeps_the_id() -> None:
    bench = Bench()
    bench.kafka.group = FakeGroup(2)  # nobody is a member
    held = bench.link.hold("commit")
    third = Stream(1)
    async with bench.running():
        bench.write(bench.one, "a")
        await eventually(held.reached.is_set)
        bench.write(bench.other, "b")
        held.release()
        await eventually(lambda: bool(bench.one.losses))
        assert isinstance(bench.one.failure, RoundAborted)
        assert bench.other.failure is bench.one.failure
        bench.kafka.group = None
        bench.write(third, "c")
        await eventually(lambda: bool(third.rounds))
    assert bench.link.calls.count("fence") == 1
    assert bench.keys(TOPICS.results, 0) == []
    assert bench.keys(TOPICS.results, 1) == ["c"]


async def test_a_lost_task_writes_nothing_more() -> None:
    bench = Bench()
    bench.one.failure = RoundAborted("before")
    with pytest.raises(RoundAborted, match="before"):
        bench.write(bench.one, "a")
    with pytest.raises(RoundAborted, match="before"):
        await bench.committer.room(bench.one)
    with pytest.raises(RoundAborted, match="before"):
        await bench.committer.settled(bench.one)
    assert bench.one.slices == 0


async def test_what_hangs_of_the_last_round_is_ended_on_request_and_once() -> None:
    bench = Bench()
    bench.kafka.loses_markers = True
    async with bench.running():
        bench.write(bench.one, "a")
        await asyncio.wait_for(bench.committer.settled(bench.one), 10)
        assert bench.keys(TOPICS.results) == []
        bench.committer.request_settling()
        await eventually(lambda: bench.keys(TOPICS.results) == ["a"])
        await turns()
    assert bench.link.calls.count("settle") == 1
    assert bench.link.calls.count("fence") == 1


async def test_settling_waits_for_the_round_on_its_way() -> None:
    bench = Bench()
    held = bench.link.hold("commit")
    async with bench.running():
        bench.write(bench.one, "a")
        await eventually(held.reached.is_set)
        bench.committer.request_settling()
        await turns()
        assert "settle" not in bench.link.calls
        held.release()
        await eventually(lambda: "settle" in bench.link.calls)
    assert bench.keys(TOPICS.results) == ["a"]


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
async def test_a_settling_that_fails_loses_the_open_round_and_acquires_the_id(fault: Fault) -> None:
    bench = Bench()
    bench.link.fail(fault, "settle")
    held = bench.link.hold("settle")
    async with bench.running():
        bench.committer.request_settling()
        await eventually(held.reached.is_set)
        bench.write(bench.one, "a")
        held.release()
        await eventually(lambda: bench.link.calls.count("fence") == 2)
        assert isinstance(bench.one.failure, SessionLost)
        bench.write(bench.other, "b")
        await asyncio.wait_for(bench.committer.settled(bench.other), 10)
    assert bench.keys(TOPICS.results, 0) == []
    assert bench.keys(TOPICS.results, 1) == ["b"]


async def test_the_id_is_acquired_again_and_again_with_growing_pauses() -> None:
    bench = Bench(RoundSettings(retry_backoff_ms=100, max_retry_backoff_ms=300))
    for nth in range(1, 5):
        bench.link.fail(Fault.BEFORE, "fence", nth=nth)
    async with bench.running():
        bench.write(bench.one, "a")
        await eventually(lambda: bool(bench.one.rounds))
    assert bench.clock.slept == [100, 200, 300, 300]


async def test_nothing_is_committed_before_the_id_is_acquired_and_nothing_after_it_is_lost() -> (
    None
):
    bench = Bench()
    first, again = bench.link.hold("fence"), bench.link.hold("fence", nth=2)
    bench.link.fail(Fault.AFTER, "commit")
    async with bench.running():
        bench.write(bench.one, "a")
        await eventually(first.reached.is_set)
        await turns()
        assert bench.commits() == 0
        first.release()
        await eventually(again.reached.is_set)
        bench.write(bench.other, "b")
        await turns()
        assert bench.commits() == 1
        again.release()
        await eventually(lambda: bool(bench.other.rounds))


async def test_a_kafka_that_refuses_ends_the_committer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(self: object, *_: object) -> None:
        raise KafkaUnavailable("no")

    monkeypatch.setattr(FakeTransactions, "commit", refuse)
    bench = Bench()
    bench.write(bench.one, "a")
    with pytest.raises(KafkaUnavailable):
        await asyncio.wait_for(bench.committer.run(), 10)
    assert isinstance(bench.one.failure, SessionLost)


async def test_the_end_of_the_committer_loses_whoever_has_something_in_a_round() -> None:
    bench = Bench()
    held = bench.link.hold("commit")
    async with bench.running():
        bench.write(bench.one, "a")
        await eventually(held.reached.is_set)
        bench.write(bench.other, "b")
    assert isinstance(bench.one.failure, SessionLost)
    assert isinstance(bench.other.failure, SessionLost)
    with pytest.raises(SessionLost):
        bench.write(Stream(0), "c")
    await asyncio.wait_for(bench.committer.drained(), 10)


async def test_the_end_of_the_committer_closes_its_transactions() -> None:
    bench = Bench()
    transactions = bench.broker.transactions()
    bench.committer = Committer(transactions, bench.clock, TOPICS, QUICK)
    async with bench.running():
        bench.write(bench.one, "a")
        await eventually(lambda: bool(bench.one.rounds))
    with pytest.raises(SessionLost, match="the id is not owned"):
        await transactions.commit(transactions.new_round(), {}, None)


# Room, and waiting for what is written


@pytest.mark.parametrize(
    "rounds",
    [
        RoundSettings(max_events=3, min_interval_ms=0),
        RoundSettings(max_bytes=50, min_interval_ms=0),
    ],
    ids=["events", "bytes"],
)
async def test_a_full_round_has_no_room_until_it_is_on_its_way(rounds: RoundSettings) -> None:
    bench = Bench(rounds)
    held = bench.link.hold("commit")
    async with bench.running():
        bench.write(bench.other, "a")
        await eventually(held.reached.is_set)
        bench.write(bench.one, "b", events=2)
        await asyncio.wait_for(bench.committer.room(bench.one), 10)
        bench.write(bench.other, "c", "d", events=1)
        waiting = asyncio.create_task(bench.committer.room(bench.one))
        await turns()
        assert not waiting.done()
        next_one = bench.link.hold("commit")
        held.release()
        await eventually(next_one.reached.is_set)
        await asyncio.wait_for(waiting, 10)
        next_one.release()


async def test_who_waits_for_room_in_the_first_round_gets_it_when_that_is_on_its_way() -> None:
    bench = Bench(RoundSettings(max_events=1))
    held = bench.link.hold("commit")
    bench.write(bench.one, "a")
    waiting = asyncio.create_task(bench.committer.room(bench.one))
    await turns()
    assert not waiting.done()
    async with bench.running():
        await eventually(held.reached.is_set)
        await asyncio.wait_for(waiting, 10)


async def test_who_waits_for_room_is_told_that_the_round_was_lost() -> None:
    bench = Bench(RoundSettings(max_events=1, min_interval_ms=0))
    held = bench.link.hold("commit")
    bench.link.fail(Fault.BEFORE, "commit")
    async with bench.running():
        bench.write(bench.one, "a")
        await eventually(held.reached.is_set)
        bench.write(bench.one, "b")
        waiting = asyncio.create_task(bench.committer.room(bench.one))
        await turns()
        held.release()
        with pytest.raises(SessionLost):
            await asyncio.wait_for(waiting, 10)


async def test_settled_waits_for_the_round_on_its_way_and_for_the_open_one() -> None:
    bench = Bench()
    held, next_one = bench.link.hold("commit"), bench.link.hold("commit", nth=2)
    async with bench.running():
        await asyncio.wait_for(bench.committer.settled(bench.one), 10)
        bench.write(bench.one, "a")
        await eventually(held.reached.is_set)
        bench.write(bench.one, "b")
        assert bench.committer.has_written(bench.one)
        waiting = asyncio.create_task(bench.committer.settled(bench.one))
        of_another = asyncio.create_task(bench.committer.settled(bench.other))
        await turns()
        assert (waiting.done(), of_another.done()) == (False, True)
        held.release()
        await eventually(next_one.reached.is_set)
        assert not bench.committer.has_written(bench.one)
        await turns()
        assert not waiting.done()
        next_one.release()
        await asyncio.wait_for(waiting, 10)
        assert len(bench.one.rounds) == 2


async def test_settled_says_that_a_round_was_lost() -> None:
    bench = Bench()
    bench.link.fail(Fault.AFTER, "commit")
    async with bench.running():
        bench.write(bench.one, "a")
        with pytest.raises(SessionLost):
            await asyncio.wait_for(bench.committer.settled(bench.one), 10)


async def test_drained_waits_until_nothing_is_open_or_on_its_way() -> None:
    bench = Bench()
    held, next_one = bench.link.hold("commit"), bench.link.hold("commit", nth=2)
    async with bench.running():
        await asyncio.wait_for(bench.committer.drained(), 10)
        bench.write(bench.one, "a")
        waiting = asyncio.create_task(bench.committer.drained())
        await eventually(held.reached.is_set)
        bench.write(bench.other, "b")
        held.release()
        await eventually(next_one.reached.is_set)
        assert not waiting.done()
        next_one.release()
        await asyncio.wait_for(waiting, 10)


# Giving up, and pacing


async def test_a_cut_gives_up_both_rounds_and_goes_on_with_the_id_acquired_again() -> None:
    bench = Bench()
    held = bench.link.hold("commit")
    third = Stream(0)
    async with bench.running():
        bench.write(bench.one, "a")
        await eventually(held.reached.is_set)
        bench.write(bench.other, "b")
        bench.committer.cut()
        # At once: what comes next may be of another generation.
        assert isinstance(bench.one.failure, SessionLost)
        assert isinstance(bench.other.failure, SessionLost)
        await eventually(lambda: bench.link.calls.count("fence") == 2)
        await asyncio.wait_for(bench.committer.drained(), 10)
        bench.write(third, "c")
        await eventually(lambda: bool(third.rounds))
    assert bench.keys(TOPICS.results, 0) == ["c"]
    assert bench.keys(TOPICS.results, 1) == []


async def test_a_cut_while_the_id_is_acquired_gives_up_what_came_meanwhile() -> None:
    bench = Bench()
    held = bench.link.hold("fence")
    async with bench.running():
        await eventually(held.reached.is_set)
        bench.write(bench.one, "a")
        bench.committer.cut()
        bench.committer.membership = Membership("m", 2)
        held.release()
        bench.write(bench.other, "b")
        await eventually(lambda: bool(bench.other.rounds))
    assert bench.keys(TOPICS.results, 0) == []


async def test_transactions_begin_no_sooner_than_the_interval_after_each_other() -> None:
    bench = Bench(RoundSettings(min_interval_ms=50))
    async with bench.running():
        bench.write(bench.one, "a")
        await eventually(lambda: len(bench.one.rounds) == 1)
        bench.clock.advance(20)
        bench.write(bench.one, "b")
        await eventually(lambda: len(bench.one.rounds) == 2)
        bench.clock.advance(60)
        bench.write(bench.one, "c")
        await eventually(lambda: len(bench.one.rounds) == 3)
    assert bench.clock.slept == [30]


async def test_a_round_that_was_given_up_before_it_began_is_no_transaction() -> None:
    bench = Bench(RoundSettings(min_interval_ms=50))
    async with bench.running():
        bench.write(bench.one, "a")
        await eventually(lambda: len(bench.one.rounds) == 1)
        bench.write(bench.one, "b")
        await eventually(lambda: bool(bench.clock.slept))
        bench.committer.cut()
        assert isinstance(bench.one.failure, SessionLost)
        await asyncio.sleep(0.005)  # longer than the clock sleeps
        await turns()
        bench.write(bench.other, "c")
        await eventually(lambda: bool(bench.other.rounds))
    assert bench.commits() == 2
    assert bench.link.calls.count("fence") == 1


async def test_a_full_round_is_not_held_back() -> None:
    bench = Bench(RoundSettings(min_interval_ms=50, max_events=2))
    async with bench.running():
        bench.write(bench.one, "a")
        await eventually(lambda: len(bench.one.rounds) == 1)
        bench.write(bench.one, "b", events=2)
        await eventually(lambda: len(bench.one.rounds) == 2)
    assert bench.clock.slept == []


class Offered(FakeTransactions):
    """Remembers what was offered to the group, and as whom."""

    seen: list[tuple[Mapping[Partition, int], Membership | None]]

    async def commit(
        self, filled: object, offsets: Mapping[Partition, int], membership: Membership | None
    ) -> Mapping[Partition, int]:
        self.seen.append((dict(offsets), membership))
        return await super().commit(filled, offsets, membership)  # type: ignore[arg-type]


async def test_offsets_of_all_streams_in_a_round_go_to_the_group_as_its_current_member() -> None:
    bench = Bench()
    transactions = Offered(bench.link, bench.kafka, "live-orders", "id")
    transactions.seen = []
    bench.committer = Committer(transactions, bench.clock, TOPICS, QUICK)
    bench.write(bench.one, "a")
    bench.write(bench.other)
    bench.committer.membership = Membership("m", 7)
    async with bench.running():
        await eventually(lambda: bool(bench.other.rounds))
    offsets = {Partition(TOPICS.events, 0): 10, Partition(TOPICS.events, 1): 10}
    assert transactions.seen == [(offsets, Membership("m", 7))]


async def test_positions_name_the_id_that_the_transactions_have() -> None:
    bench = Bench()
    assert bench.committer.transactional_id.startswith("live-orders:orders.:")
