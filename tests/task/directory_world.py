"""A world of streams that send each other records, and words to judge them."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from processor.core.sharding import shard_of
from processor.task.context import TaskSettings
from processor.task.ports import Partition
from processor.task.supervisor import Supervisor
from processor.wire.position import POSITION_KEY, dump_position
from processor.wire.record import Record
from tests.fakes.broker import FakeBroker
from tests.fakes.clock import FakeClock
from tests.fakes.group import FakeGroup
from tests.task.events import user_of
from tests.task.world import Running, Watcher, World

Fields = dict[str, Any]
Position = tuple[int, int]
GRACE_MS = 5000


class DirectoryWorld(World):
    """Two streams, or more. ``users`` has one of each stream.

    Each stream has a process of its own, so that all messages go through the queues; or, if they
    are ``together``, one process has all streams.
    """

    def __init__(
        self,
        num_streams: int = 2,
        *,
        settings: TaskSettings | None = None,
        clock: FakeClock | None = None,
        together: bool = False,
    ) -> None:
        super().__init__(num_streams, settings=settings, clock=clock)
        self.together = together
        self.users = [user_of(stream, num_streams) for stream in range(num_streams)]

    def id_in(self, shard: int, name: str = "o") -> str:
        """An order id that belongs to a shard."""
        numbered = (f"{name}{number}" for number in range(1000))
        return next(one for one in numbered if shard_of(one, self.num_streams) == shard)

    # Processes

    @asynccontextmanager
    async def all_streams(self, broker: FakeBroker | None = None) -> AsyncIterator[Running]:
        """Processes that have all streams, from when all of them run; all over one link."""
        broker = broker or self.broker()
        count = 1 if self.together else self.num_streams
        group, watcher = FakeGroup(self.num_streams, by_hand=True), Watcher()
        members = [group.member() for _ in range(count)]
        supervisors = [
            self.supervisor(broker.twin(), member, watcher=watcher) for member in members
        ]
        job = asyncio.create_task(_run_all(supervisors))
        try:
            running = Running(job, watcher, broker)
            for member in members:
                await running.until(member.joined.is_set, "joined")
            await group.rebalance(
                {
                    member: frozenset(range(place, self.num_streams, count))
                    for place, member in enumerate(members)
                }
            )
            await running.until(lambda: self.all_run(running), "all run")
            yield running
            await running.end(partial(_stop_all, supervisors))
        finally:
            job.cancel()

    def all_run(self, running: Running) -> bool:
        """Whether all streams of a process have begun to work."""
        return len(running.watcher.commits) >= self.num_streams

    async def work(self, broker: FakeBroker | None = None) -> None:
        """A process that has all streams, until nothing is on its way."""
        async with self.all_streams(broker) as running:
            await running.until(self.is_at_rest, "at rest")

    async def crash(self, stream: int, *events: Fields) -> None:
        """A task that dies when it has written all that follows from events, uncommitted."""
        broker = self.broker()
        async with self.task(broker, stream) as running:
            await running.until(lambda: bool(running.watcher.commits), "runs")
            held = broker.link.hold("end")
            self.send(*events, stream=stream)
            await running.until(held.reached.is_set, "all written")
            await running.kill()

    async def looks(self, running: Running) -> None:
        """Wait until a process has looked for work some more."""
        for _ in range(20):
            await running.grows(lambda: running.link.calls.count("fetch"), "fetches")

    # What there is

    def parked(self) -> int:
        """How many commands wait, as committed."""
        extents = [self.position(stream)["directory"] for stream in range(self.num_streams)]
        return sum(one["parked"] for one in extents)

    def said_of(self, partition: int, offset: int) -> list[tuple[int, Fields]]:
        """All answers to an input, each with the stream that gave it."""
        return [
            (stream, answer)
            for stream in range(self.num_streams)
            for answer in self.answers(stream)
            if answer["input"] == {"partition": partition, "offset": offset}
        ]

    def results_of(self, partition: int, offset: int) -> list[str]:
        """The same in short: who said what."""
        return [
            f"{stream}: {answer.get('reason', answer['result'])}"
            for stream, answer in self.said_of(partition, offset)
        ]

    def live(self) -> dict[str, str]:
        """The placement of each live order."""
        found: dict[str, str] = {}
        for stream in range(self.num_streams):
            for order in self._table_of(self.topics.live, stream).values():
                assert order["order_id"] not in found, "an id is live twice"
                found[order["order_id"]] = f"{stream}:{order['placed_seq']}"
        return found

    def owners(self) -> dict[str, str]:
        """The placement that owns each id, and nothing else in the table."""
        found: dict[str, str] = {}
        for shard in range(self.num_streams):
            for key, owner in self._table_of(self.topics.directory, shard).items():
                assert " " not in key, "a command still waits"
                assert shard_of(key, self.num_streams) == shard
                found[key] = owner["placement"]
        return found

    def _table_of(self, topic: str, stream: int) -> dict[str, Fields]:
        table = {(one.key or b"").decode(): one.value for one in self.records(topic, stream)}
        return {key: json.loads(value) for key, value in table.items() if value is not None}

    # What others may do to it

    def rewrite_position(self, stream: int = 0, **changes: Any) -> None:
        """Say, as somebody else would, that a stream stands elsewhere."""
        changed: Any = {**self.position(stream), **changes}
        record: Record = (POSITION_KEY.encode(), dump_position(changed), [])
        self.kafka.append(self.topics.progress, stream, [record])

    def time_out(self, topic: str, partition: int) -> None:
        """Let the transactions that are open in a partition reach their timeout."""
        for owner in self.kafka.holders([Partition(topic, partition)]):
            self.kafka.abort(self.kafka.describe(owner))

    # Judgement

    def finals(self) -> dict[Position, str]:
        """Each input's final answer: ``stream: result``; one that was corrected says so."""
        told: dict[Position, str] = {}
        forwarded: set[Position] = set()
        for stream in range(self.num_streams):
            for answer in self.answers(stream):
                where = answer["input"]["partition"], answer["input"]["offset"]
                if answer["result"] == "forwarded":
                    assert stream == where[0]
                    assert where not in forwarded, f"{where} was forwarded twice"
                    forwarded.add(where)
                elif answer.get("revoked"):
                    assert told.get(where) == f"{stream}: applied", f"{where} has nothing to revoke"
                    told[where] = f"{stream}: revoked"
                else:
                    assert where not in told, f"{where} has two final answers"
                    told[where] = f"{stream}: {answer.get('reason', answer['result'])}"
        return told

    async def check_all(self) -> None:
        """At rest each input has one final answer, ids are unique, and the directory knows them."""
        inputs = {
            (stream, one.offset)
            for stream in range(self.num_streams)
            for one in self.records(self.topics.events, stream)
        }
        assert set(self.finals()) == inputs
        assert self.live() == self.owners()


def _stop_all(supervisors: Sequence[Supervisor]) -> None:
    for one in supervisors:
        one.stop()


async def _run_all(supervisors: Sequence[Supervisor]) -> None:
    """Run processes until all have ended; one that fails ends the others."""
    async with asyncio.TaskGroup() as group:
        for one in supervisors:
            group.create_task(one.run())
