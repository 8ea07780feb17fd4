"""One order id, one live order, whatever is delayed, interleaved, aborted and killed."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from processor.wire.record import Record
from tests.model import partition_of
from tests.property.cluster import GRACE_MS, SOURCES, Cluster, Source, Task
from tests.property.judge import Judge

STREAMS = 3
USERS = [f"user{n}" for n in range(5)]
ORDER_IDS = ["o1", "o2"]

KINDS = [*["place"] * 3, *["id"] * 3, "user", "all", "bad"]

users = st.sampled_from(USERS)
order_ids = st.sampled_from(ORDER_IDS)
partitions = st.integers(0, STREAMS - 1)


@st.composite
def produced(draw: st.DrawFn, kinds: Sequence[str] = KINDS) -> tuple[int, Record]:
    """An event and the partition it is written to: its user's, more often than not."""
    kind = draw(st.sampled_from(kinds))
    order_id, user = draw(order_ids), draw(users)
    event: dict[str, Any] = {"order_id": order_id}
    if kind == "place":
        event |= {"type": "place", "user_id": user, "currency": "BTC", "amount": "1", "price": "2"}
    elif kind == "all":
        event = {"type": "cancel_all_by_user", "user_id": user}
    else:
        event["type"] = draw(st.sampled_from(["pause", "resume", "cancel", "cancel"]))
        if kind == "user":
            event["user_id"] = user
    at_home = draw(st.integers(0, 2)) > 0
    partition = partition_of(user, STREAMS) if at_home else draw(partitions)
    value = b"no event" if kind == "bad" else json.dumps(event).encode()
    return partition, (draw(st.sampled_from([None, b"k"])), value, [("trace", value[:3])])


places = st.lists(produced(["place"]), min_size=1, max_size=4)
batches = st.lists(produced(), min_size=1, max_size=4)
tasks = partitions
times_ms = st.sampled_from([1, GRACE_MS - 1, GRACE_MS])
orders_of_sources = st.permutations(SOURCES)
endings = st.sampled_from(["commit", "commit", "leave it open", "kill"])
amounts = st.fixed_dictionaries({source: st.integers(0, 4) for source in SOURCES})


class Directory(RuleBasedStateMachine):
    """Tasks take turns in any order, and any of them may be killed between any two steps."""

    def __init__(self) -> None:
        super().__init__()
        self.cluster = Cluster(STREAMS)

    @initialize(before=st.lists(produced(), max_size=6), started=st.sets(partitions))
    def begin(self, before: list[tuple[int, Record]], started: set[int]) -> None:
        """Some events are there before anything runs."""
        self.produce(before)
        for number in started:
            self.start(number, compacted=False)

    @rule(batch=batches)
    def produce(self, batch: list[tuple[int, Record]]) -> None:
        for partition, record in batch:
            self.cluster.produce(partition, record)

    @rule(number=tasks, compacted=st.booleans())
    def start(self, number: int, compacted: bool) -> None:
        task = self.cluster.tasks[number]
        if task.memory is None:
            task.restore(compacted=compacted)

    @rule(number=tasks, order=orders_of_sources, most=amounts, then=endings)
    def work(
        self, number: int, order: Sequence[Source], most: dict[Source, int], then: str
    ) -> None:
        task = self.cluster.tasks[number]
        if task.memory is not None and task.open is None:
            task.work(order, most)
            if then == "commit":
                task.commit()
            elif then == "kill":
                task.crash()
                task.restore(compacted=True)

    @rule(order=st.permutations(range(STREAMS)))
    def work_in_turn(self, order: Sequence[int]) -> None:
        """Each task that can takes all that it finds."""
        for number in order:
            _work_off(self.cluster.tasks[number])

    @precondition(lambda self: any(task.open for task in self.cluster.tasks))
    @rule(number=tasks)
    def commit(self, number: int) -> None:
        if self.cluster.tasks[number].open is not None:
            self.cluster.tasks[number].commit()

    @rule(number=tasks, committed=st.booleans())
    def kill(self, number: int, committed: bool) -> None:
        """Before the commit, or after it when nobody heard of that any more."""
        task = self.cluster.tasks[number]
        if committed and task.open is not None:
            task.commit()
        task.crash()

    @rule(ms=times_ms, readers=st.sets(partitions))
    def wait(self, ms: int, readers: set[int]) -> None:
        """Time passes; some tasks look at it before they read on."""
        self.cluster.now_us += ms * 1000
        for number in readers:
            self.work(number, SOURCES, dict.fromkeys(SOURCES, 0), "commit")

    @rule(batch=places, ms=times_ms)
    def lag(self, batch: list[tuple[int, Record]], ms: int) -> None:
        """Streams go on while no shard reads what they say, and deadlines pass."""
        self.produce(batch)
        for number in range(STREAMS):
            self.work(number, SOURCES, {"events": 9, "routed": 9, "claims": 0}, "commit")
        self.wait(ms, set(range(STREAMS)))

    @rule(number=tasks, ms=times_ms)
    def restart(self, number: int, ms: int) -> None:
        """Kill a task, and let it go on after a while."""
        self.kill(number, committed=False)
        self.start(number, compacted=True)
        self.cluster.now_us += ms * 1000
        _work_off(self.cluster.tasks[number])

    def teardown(self) -> None:
        """Come to rest, let the commands that still wait wait no longer, and judge."""
        self._settle()
        for task in self.cluster.tasks:
            task.crash()
        self._settle()
        self.cluster.now_us += GRACE_MS * 1000
        self._settle()
        self._check_memory()
        Judge(self.cluster).judge()

    def _settle(self) -> None:
        for _ in range(1000):
            busy = [task for task in self.cluster.tasks if task.has_work() or task.open]
            if not busy:
                return
            for task in busy:
                if task.open is not None:
                    task.commit()
                if task.memory is None:
                    task.restore(compacted=False)
                _work_off(task)
        raise AssertionError("does not come to rest")

    def _check_memory(self) -> None:
        """What each task has in memory is what a restore brings back."""
        for task in self.cluster.tasks:
            copy = Task(self.cluster, task.number)
            copy.restore(compacted=True)
            assert task.memory is not None
            assert copy.memory is not None
            mine, other = task.memory, copy.memory
            assert other.orders.orders() == mine.orders.orders()
            assert other.directory.owners_sum == mine.directory.owners_sum
            assert other.directory.owner_count == mine.directory.owner_count
            assert other.directory.parked_count == mine.directory.parked_count == 0


def _work_off(task: Task) -> None:
    if task.memory is not None and task.open is None:
        task.work(SOURCES, dict.fromkeys(SOURCES, 1000))
        task.commit()


TestDirectory = Directory.TestCase
TestDirectory.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
# Time to make a failure small.
TestDirectory = pytest.mark.timeout(600)(TestDirectory)
