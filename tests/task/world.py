"""A fake Kafka with processes on it, and words to drive and judge them."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from processor.core.event_time.progress_table import ProgressTable
from processor.core.orders.order import Order
from processor.core.orders.stream import OrderStream
from processor.reader.live_list import read_live_orders
from processor.task.committer import Committer, RoundSettings
from processor.task.context import TaskContext, TaskSettings
from processor.task.gate import Gate
from processor.task.hanging_watch import HangingWatch
from processor.task.identity import TaskIdentity
from processor.task.lifecycle import TaskState
from processor.task.ports import Group, Membership, Partition
from processor.task.shortcut import Shortcuts
from processor.task.supervisor import Supervisor, SupervisorSettings
from processor.task.task import StreamTask
from processor.task.topic_watch import TopicWatch
from processor.topics import Topics
from processor.wire.event import parse_event
from processor.wire.position import Position
from processor.wire.timestamp import record_time_us
from tests.fakes.broker import FakeBroker
from tests.fakes.clock import FakeClock
from tests.fakes.kafka import FakeKafka
from tests.fakes.log import StoredRecord
from tests.waiting import eventually

APP_ID = "live-orders"
QUICK = SupervisorSettings(
    suspend_timeout_ms=2_000,
    stop_timeout_ms=2_000,
    leave_timeout_ms=2_000,
    retry_backoff_ms=1,
    max_retry_backoff_ms=20,
)


class Watcher:
    """An `Observer` that remembers."""

    def __init__(self) -> None:
        self.states: dict[int, list[TaskState]] = {}
        self.commits: list[int] = []

    def on_state(self, stream: int, state: TaskState) -> None:
        """Part of `Observer`."""
        self.states.setdefault(stream, []).append(state)

    def on_commit(self, stream: int, events: int, snapshot_ns: int, commit_ns: int) -> None:
        """Part of `Observer`."""
        self.commits.append(events)


class Running:
    """Something that runs in the background."""

    def __init__(self, job: asyncio.Task[None], watcher: Watcher, broker: FakeBroker) -> None:
        self.job = job
        self.watcher = watcher
        self.link = broker.link
        self._over = False

    async def until(self, holds: Callable[[], bool], what: str = "condition") -> None:
        """Wait until a condition holds; if the job ends before, raise what it raised."""
        await eventually(lambda: self.job.done() or holds(), what=what)
        if not holds():
            self.job.result()
            raise AssertionError(f"{what}: the job ended before")

    async def grows(self, count: Callable[[], int], what: str = "more") -> None:
        """Wait until there is more of something than now."""
        now = count()
        await self.until(lambda: count() > now, what)

    async def fails(self) -> None:
        """Wait until the job raises, and raise that."""
        self._over = True
        await self.until(lambda: False, "a failure")

    async def kill(self) -> None:
        """What kill -9 does: nothing more of it reaches Kafka."""
        self.link.cut()
        await self.cancel()

    async def cancel(self) -> None:
        """Cancel it, and wait for its end."""
        self._over = True
        self.job.cancel()
        await asyncio.wait([self.job], timeout=10)

    async def end(self, stop: Callable[[], None]) -> None:
        """Tell it to stop, and see that it does and is well; nothing if its end was looked at."""
        stop()
        await asyncio.wait([self.job], timeout=10)
        assert self.job.done(), "told to stop, and went on"
        if not self._over:
            self.job.result()


class World:
    """A fake Kafka, and processes on it. ``rounds`` are the settings of their committers."""

    def __init__(
        self,
        num_streams: int = 1,
        *,
        settings: TaskSettings | None = None,
        clock: FakeClock | None = None,
        rounds: RoundSettings | None = None,
    ) -> None:
        self.topics = Topics()
        self.num_streams = num_streams
        self.settings = settings or TaskSettings()
        self.rounds = rounds or RoundSettings(min_interval_ms=0, retry_backoff_ms=1)
        self.clock = clock or FakeClock()
        self.kafka = FakeKafka(num_streams, topics=self.topics, clock=FakeClock())
        self._ids = itertools.count(1)

    # Processes

    def broker(self) -> FakeBroker:
        """The Kafka as one more process sees it."""
        return FakeBroker(self.kafka, app_id=APP_ID)

    def committer(self, broker: FakeBroker) -> Committer:
        """The committer of a process."""
        return Committer(broker.transactions(), self.clock, self.topics, self.rounds)

    def shortcuts(self, committer: Committer) -> Shortcuts:
        """The shortcuts of a process."""
        made = Shortcuts(self.num_streams, self.topics, committer.is_queued, self.clock)
        committer.on_written = made.written
        return made

    def context(
        self,
        broker: FakeBroker,
        committer: Committer,
        gate: Gate,
        stream: int = 0,
        *,
        shortcuts: Shortcuts | None = None,
        group: Group | None = None,
        watcher: Watcher | None = None,
        accept_lost_events: bool = False,
        num_streams: int | None = None,
    ) -> TaskContext:
        """What a stream's task is given."""
        return TaskContext(
            TaskIdentity(
                stream,
                num_streams or self.num_streams,
                self.topics,
                broker.app_id,
                accept_lost_events,
            ),
            self.settings,
            broker,
            committer,
            shortcuts or self.shortcuts(committer),
            _always if group is None else group.is_member,
            asyncio.Semaphore(4),
            gate,
            self.clock,
            lambda: f"id-{next(self._ids)}",
            watcher or Watcher(),
        )

    @asynccontextmanager
    async def task(
        self,
        broker: FakeBroker | None = None,
        stream: int = 0,
        *,
        accept_lost_events: bool = False,
        num_streams: int | None = None,
    ) -> AsyncIterator[Running]:
        """One task that runs until the block ends; then it is told to stop."""
        gate, watcher = Gate(), Watcher()
        gate.open()
        broker = broker or self.broker()
        committer = self.committer(broker)
        committer.membership = Membership("the only one", 1)
        context = self.context(
            broker,
            committer,
            gate,
            stream,
            watcher=watcher,
            accept_lost_events=accept_lost_events,
            num_streams=num_streams,
        )
        job = asyncio.create_task(_run_alone(committer, StreamTask(context)))
        try:
            running = Running(job, watcher, broker)
            yield running
            await running.end(gate.stop)
        finally:
            job.cancel()

    async def run_task(self, **options: Any) -> Watcher:
        """One task, until it has restored, and answered all there is."""
        stream = options.get("stream", 0)
        async with self.task(**options) as running:
            commits = running.watcher.commits
            await running.until(lambda: bool(commits) and self.is_caught_up(stream), "caught up")
        return running.watcher

    def supervisor(
        self,
        broker: FakeBroker,
        group: Group,
        *,
        watcher: Watcher | None = None,
        settings: SupervisorSettings = QUICK,
    ) -> Supervisor:
        """A whole process."""
        committer = self.committer(broker)
        shortcuts = self.shortcuts(committer)
        return Supervisor(
            group,
            committer,
            shortcuts,
            TopicWatch(broker, self.clock),
            # Over a link of its own: its calls are not to be counted with those of tasks.
            HangingWatch(self.broker(), group.is_member, committer, self.topics, self.clock),
            lambda stream, gate: self.context(
                broker,
                committer,
                gate,
                stream,
                shortcuts=shortcuts,
                group=group,
                watcher=watcher,
            ),
            self.num_streams,
            settings,
        )

    @asynccontextmanager
    async def process(
        self, broker: FakeBroker, group: Group, **settings: int
    ) -> AsyncIterator[Running]:
        """A whole process that runs until the block ends; then it is told to stop."""
        watcher = Watcher()
        supervisor = self.supervisor(
            broker, group, watcher=watcher, settings=replace(QUICK, **settings)
        )
        job = asyncio.create_task(supervisor.run())
        try:
            running = Running(job, watcher, broker)
            yield running
            await running.end(supervisor.stop)
        finally:
            job.cancel()

    # Input and output

    def send(self, *events: dict[str, Any] | bytes | None, stream: int = 0) -> int:
        """Events, or whatever bytes, into a stream; the end."""
        values = [json.dumps(one).encode() if isinstance(one, dict) else one for one in events]
        return self.kafka.append(self.topics.events, stream, [(None, one, []) for one in values])

    def records(self, topic: str, stream: int = 0) -> list[StoredRecord]:
        """A partition's committed records."""
        return self.kafka.log(topic, stream).records()

    def answers(self, stream: int = 0) -> list[dict[str, Any]]:
        """All answers."""
        return [json.loads(one.value or b"") for one in self.records(self.topics.results, stream)]

    def answered(self, stream: int = 0) -> list[int]:
        """The input offsets that were answered."""
        return [answer["input"]["offset"] for answer in self.answers(stream)]

    def seqs(self, stream: int = 0) -> list[int]:
        """The ``seq`` of every change in the table."""
        return [
            json.loads(one.value)["seq"] if one.value else int(dict(one.headers)["seq"] or b"")
            for one in self.records(self.topics.live, stream)
        ]

    def progress(self, stream: int = 0) -> ProgressTable:
        """The stream's partition of ``orders.progress``, as a restore reads it."""
        table = ProgressTable()
        for one in self.records(self.topics.progress, stream):
            table.put(one.key, one.value, one.headers)
        return table

    def position(self, stream: int = 0) -> Position:
        """Where the stream stands."""
        found = self.progress(stream).position
        assert found is not None, "it has never run"
        return found

    def committed_offset(self, stream: int = 0) -> int:
        """The next input offset of the position, -1 when there is none."""
        found = self.progress(stream).position
        return -1 if found is None else found["events"]

    def group_offset(self, stream: int = 0) -> int | None:
        """What the group has been told of it."""
        return self.kafka.group_offsets.get((APP_ID, Partition(self.topics.events, stream)))

    def is_caught_up(self, stream: int = 0) -> bool:
        """Whether all input is committed."""
        end = self.kafka.log(self.topics.events, stream).stable_end
        return self.committed_offset(stream) == end

    def is_at_rest(self) -> bool:
        """Whether all is read, wherever it went; commands may wait."""
        return all(
            self.is_caught_up(stream)
            and all(self._is_read(topic, stream) for topic in self.topics.queues)
            for stream in range(self.num_streams)
        )

    def next_in(self, topic: str, stream: int) -> int:
        """The next offset of a queue, as committed."""
        position = self.progress(stream).position
        if position is None:
            return 0
        return position["claims"] if topic == self.topics.claims else position["routed"]

    def _is_read(self, topic: str, stream: int) -> bool:
        log = self.kafka.log(topic, stream)
        unread, _ = log.read(max(self.next_in(topic, stream), log.begin), 1)
        return not unread and log.stable_end == log.end

    async def listed(self) -> list[str]:
        """What a reader of the output topics lists."""
        return [order.label() for _, order in await self._table()]

    async def _table(self) -> list[tuple[int, Order]]:
        return await read_live_orders(
            self.broker(), self.topics, range(self.num_streams), oldest_snapshot_us=0
        )

    # Judgement

    def expected(self, stream: int = 0) -> list[Order]:
        """The live orders after all input, straight from the core."""
        orders = OrderStream(stream, self.num_streams)
        orders.step(
            (one.offset, record_time_us(one.timestamp), parse_event(one.value))
            for one in self.records(self.topics.events, stream)
            if len(one.value or b"") <= self.settings.max_event_bytes
        )
        return orders.orders()

    async def check(self, stream: int = 0) -> None:
        """All input has exactly one answer, and the table is what the core makes of the input."""
        inputs = [one.offset for one in self.records(self.topics.events, stream)]
        assert self.answered(stream) == inputs
        seqs = self.seqs(stream)
        assert all(earlier < later for earlier, later in itertools.pairwise(seqs))
        listed = [order for number, order in await self._table() if number == stream]
        assert [_content(one) for one in listed] == [_content(one) for one in self.expected(stream)]


async def _always(membership: Membership) -> bool:
    return True


async def _run_alone(committer: Committer, task: StreamTask) -> None:
    """A task with a committer of its own; the task's end is the end of both."""
    committing = asyncio.create_task(committer.run())
    try:
        await task.run()
    finally:
        committing.cancel()
        await asyncio.wait([committing])


def _content(order: Order) -> Order:
    """The order but for its numbers, which jump when a task restores."""
    return order._replace(placed_seq=0, seq=0)
