"""Whatever happens on the way, readers get the committed records, in order, once."""

from collections.abc import Callable
from typing import Any

from aiokafka.record.default_records import DefaultRecordBatch
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.kafka.cluster_view import Leader
from processor.kafka.fetching.limits import FetchLimits
from processor.kafka.fetching.reading import Reading
from processor.kafka.fetching.values import Fetch, Fetched, FetchedPartition
from tests.unit.kafka.model_log import ModelLog
from tests.unit.kafka.model_sessions import ModelSessions
from tests.unit.kafka.scripted import TOPIC, TOPIC_ID, Script

PARTITIONS = 3
PRODUCERS = st.integers(70, 72)
WHERE = st.integers(0, PARTITIONS - 1)
NODES = st.integers(1, 3)
LIMITS = FetchLimits(partition_bytes=400, total_bytes=1_000, least_bytes=100, request_bytes=600)

OPERATIONS = st.one_of(
    st.tuples(st.just("write"), WHERE, st.one_of(st.just(-1), PRODUCERS), st.integers(1, 4)),
    st.tuples(st.just("end"), WHERE, PRODUCERS, st.booleans()),
    st.tuples(st.just("compact"), WHERE, st.sets(st.integers(0, 60)), st.booleans()),
    st.tuples(st.just("answer"), st.integers(0, 5), st.booleans()),
    st.tuples(st.just("err"), st.integers(0, 5), st.sampled_from((3, 5, 6, 74, 75, 78, 100, -1))),
    st.tuples(st.just("lose"), st.integers(0, 5), st.booleans()),
    st.tuples(st.just("forget_sessions"), NODES, st.booleans()),
    st.tuples(st.just("move"), WHERE, NODES),
    st.tuples(st.just("learn")),
    st.tuples(st.just("take"), WHERE),
    st.tuples(st.just("reopen"), WHERE),
    st.tuples(st.just("wait"), st.integers(1, 700)),
)


class World:
    """Logs, leaders, a session, and what its readers have got."""

    def __init__(self) -> None:
        self.logs = [ModelLog() for _ in range(PARTITIONS)]
        self.leaders = [Leader(1, 5)] * PARTITIONS
        self.script = Script(partitions=PARTITIONS, limits=LIMITS)
        self.readings: list[Reading] = [self.script.open(n) for n in range(PARTITIONS)]
        self.got: list[list[tuple[int, bytes]]] = [[] for _ in range(PARTITIONS)]
        self.under_way: list[Fetch] = []
        self.wants_metadata = False
        self.sessions = {node: ModelSessions() for node in (1, 2, 3)}

    def pump(self) -> None:
        for request in self.script.requests():
            if isinstance(request, Fetch):
                self.check(request)
                self.under_way.append(request)
            else:
                self.wants_metadata = True

    def check(self, request: Fetch) -> None:
        lanes = [(one.node, one.lane) for one in self.under_way]
        assert (request.node, request.lane) not in lanes
        asked = [one.partition for one in request.partitions]
        assert len(asked) == len(set(asked))
        assert request.max_wait_ms > 0
        held = sum(one.buffered_bytes for one in self.readings)
        assert held <= LIMITS.total_bytes + 4 * 200

    def some(self, index: int) -> Fetch | None:
        return self.under_way.pop(index % len(self.under_way)) if self.under_way else None

    def write(self, where: int, producer: int, count: int) -> None:
        self.logs[where].write(producer, count)

    def end(self, where: int, producer: int, commit: bool) -> None:
        self.logs[where].end_transaction(producer, commit)

    def compact(self, where: int, offsets: set[int], whole: bool) -> None:
        self.logs[where].compact(sorted(offsets), whole)

    def answer(self, index: int, by_name: bool) -> None:
        request = self.some(index)
        if request is None:
            return
        told = self.sessions[request.node].receive(request)
        left, found = request.max_bytes, list[FetchedPartition]()
        for asked in told.partitions:
            leader = self.leaders[asked.partition]
            topic: Any = TOPIC if by_name else TOPIC_ID
            if (leader.node, leader.epoch) != (request.node, asked.leader_epoch):
                found.append(FetchedPartition(topic, asked.partition, 6, -1, -1))
                continue
            size = min(left, asked.max_bytes)
            one = self.logs[asked.partition].fetch(asked.partition, topic, asked.fetch_offset, size)
            left -= len(one.records)
            found.append(one)
        fetched = Fetched(told.error_code, told.left(found), told.session_id)
        self.script.session.answered(request, fetched, self.script.now_ms)

    def err(self, index: int, code: int) -> None:
        request = self.some(index)
        if request is not None:
            self.script.session.answered(request, Fetched(code, ()), self.script.now_ms)

    def forget_sessions(self, node: int, keeps: bool) -> None:
        self.sessions[node].sessions.clear()
        self.sessions[node].keeps = keeps

    def lose(self, index: int, after_it_was_received: bool) -> None:
        request = self.some(index)
        if request is None:
            return
        if after_it_was_received:
            self.sessions[request.node].receive(request)
        self.script.session.lost(request, self.script.now_ms)

    def move(self, where: int, node: int) -> None:
        self.leaders[where] = Leader(node, self.leaders[where].epoch + 1)

    def learn(self) -> None:
        self.wants_metadata = False
        self.script.learn(*self.leaders)

    def take(self, where: int) -> bool:
        reading = self.readings[where]
        position = reading.position
        batch = reading.take()
        if batch is None:
            return False
        records = [one for one in DefaultRecordBatch(batch.data) if one.offset >= position]
        self.got[where] += [(one.offset, one.value or b"") for one in records]
        assert reading.position >= batch.next_offset
        return True

    def reopen(self, where: int) -> None:
        old = self.readings[where]
        self.script.session.close(old)
        self.readings[where] = self.script.session.open(TOPIC, where, old.position)

    def wait(self, some_ms: int) -> None:
        self.script.pass_ms(some_ms)

    def finish(self) -> None:
        """Decide everything, and read on until all is read."""
        for log in self.logs:
            for producer in list(log.open):
                log.end_transaction(producer, True)
        for _ in range(500):
            self.pump()
            if self.wants_metadata:
                self.learn()
            self.answer(0, False)
            for where in range(PARTITIONS):
                self.take(where)
            self.script.pass_ms(100)
            if all(
                one.position == log.end for one, log in zip(self.readings, self.logs, strict=True)
            ):
                return
        raise AssertionError([(one.position, one.state) for one in self.readings])


@settings(max_examples=300, deadline=None)
@given(st.lists(OPERATIONS, max_size=80))
def test_readers_get_the_committed_records_in_order_once(operations: list[tuple[Any, ...]]) -> None:
    world = World()
    for name, *arguments in operations:
        do: Callable[..., object] = getattr(world, name)
        do(*arguments)
        world.pump()
        for where, log in enumerate(world.logs):
            assert world.readings[where].position <= log.stable
    world.finish()
    for log, got in zip(world.logs, world.got, strict=True):
        offsets = [offset for offset, _value in got]
        assert offsets == sorted(set(offsets))
        assert all(log.committed[offset] == value for offset, value in got)
        assert log.left <= set(offsets)
