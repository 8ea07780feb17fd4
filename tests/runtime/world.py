"""A fake Kafka with processes on it, and words to drive and judge them."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from processor.core.order import Order
from processor.core.stream import OrderStream
from processor.runtime.context import TaskContext, TaskSettings
from processor.runtime.gate import Gate
from processor.runtime.lifecycle import TaskState
from processor.runtime.live_list import read_live_orders
from processor.runtime.plan import RestorePlan
from processor.runtime.ports import Group
from processor.runtime.supervisor import Supervisor, SupervisorSettings
from processor.runtime.task import StreamTask
from processor.topics import Topics
from schemas.event import parse_event
from schemas.timestamp import record_time_us
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
    """A fake Kafka, and processes on it."""

    def __init__(
        self,
        num_streams: int = 1,
        *,
        settings: TaskSettings | None = None,
        clock: FakeClock | None = None,
        directory_on: bool = False,
    ) -> None:
        self.topics = Topics(directory_on=directory_on)
        self.num_streams = num_streams
        self.settings = settings or TaskSettings()
        self.clock = clock or FakeClock()
        # The topics are there, whether they are used or not.
        topics = Topics(directory_on=True)
        self.kafka = FakeKafka(num_streams, topics=topics, clock=FakeClock())
        self._ids = itertools.count(1)

    # Processes

    def broker(self) -> FakeBroker:
        """The Kafka as one more process sees it."""
        return FakeBroker(self.kafka, app_id=APP_ID)

    def context(
        self,
        broker: FakeBroker,
        gate: Gate,
        stream: int = 0,
        *,
        watcher: Watcher | None = None,
        accept_lost_events: bool = False,
        num_streams: int | None = None,
    ) -> TaskContext:
        """What a stream's task is given."""
        return TaskContext(
            RestorePlan(
                stream, num_streams or self.num_streams, self.topics, APP_ID, accept_lost_events
            ),
            self.settings,
            broker,
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
        context = self.context(
            broker,
            gate,
            stream,
            watcher=watcher,
            accept_lost_events=accept_lost_events,
            num_streams=num_streams,
        )
        job = asyncio.create_task(StreamTask(context).run())
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
        return Supervisor(
            group,
            lambda stream, gate: self.context(broker, gate, stream, watcher=watcher),
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

    def committed_offset(self, stream: int = 0) -> int:
        """The committed input offset, -1 when there is none."""
        found = self.kafka.offsets.get((APP_ID, stream))
        return -1 if found is None else found.offset

    def metadata(self, stream: int = 0) -> dict[str, Any]:
        """What was committed with the input offset."""
        found: dict[str, Any] = json.loads(self.kafka.offsets[APP_ID, stream].metadata)
        return found

    def is_caught_up(self, stream: int = 0) -> bool:
        """Whether all input is committed."""
        end = self.kafka.log(self.topics.events, stream).stable_end
        return self.committed_offset(stream) == end

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


def _content(order: Order) -> Order:
    """The order but for its numbers, which jump when a task restores."""
    return order._replace(placed_seq=0, seq=0)
