"""A world with the directory on: streams that send each other records, and words to judge them."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from processor.core.sharding import shard_of
from processor.runtime.context import TaskSettings
from processor.topics import Topics
from tests.fakes.broker import FakeBroker
from tests.fakes.clock import FakeClock
from tests.fakes.group import FakeGroup
from tests.runtime.events import user_of
from tests.runtime.world import APP_ID, Running, World

Fields = dict[str, Any]
Position = tuple[int, int]
GRACE_MS = 5000


class DirectoryWorld(World):
    """Two streams, or more. ``users`` has one of each stream."""

    def __init__(
        self,
        num_streams: int = 2,
        *,
        settings: TaskSettings | None = None,
        clock: FakeClock | None = None,
        directory_on: bool = True,
    ) -> None:
        super().__init__(num_streams, settings=settings, clock=clock, directory_on=directory_on)
        self.users = [user_of(stream, num_streams) for stream in range(num_streams)]

    def turn(self, *, on: bool) -> None:
        """Let processes from now on have the directory or not."""
        self.topics = Topics(directory_on=on)

    def id_in(self, shard: int, name: str = "o") -> str:
        """An order id that belongs to a shard."""
        numbered = (f"{name}{number}" for number in range(1000))
        return next(one for one in numbered if shard_of(one, self.num_streams) == shard)

    # Processes

    @asynccontextmanager
    async def all_streams(self, broker: FakeBroker | None = None) -> AsyncIterator[Running]:
        """A process that has all streams, from when all of them run."""
        member = FakeGroup(self.num_streams).member()
        async with self.process(broker or self.broker(), member) as running:
            await running.until(lambda: self.all_run(running), "all run")
            yield running

    def all_run(self, running: Running) -> bool:
        """Whether all streams of a process have begun to work."""
        return len(running.watcher.commits) >= self.num_streams

    async def work(self, broker: FakeBroker | None = None) -> None:
        """A process that has all streams, until nothing is on its way."""
        async with self.all_streams(broker) as running:
            await running.until(self.is_at_rest, "at rest")

    async def looks(self, running: Running) -> None:
        """Wait until a process has looked for work some more."""
        for _ in range(20):
            await running.grows(lambda: running.link.calls.count("fetch"), "fetches")

    # What there is

    def next_in(self, topic: str, stream: int) -> int:
        """The committed offset of a queue."""
        return self.kafka.queue_offsets.get((APP_ID, stream), {}).get(topic, 0)

    def is_at_rest(self) -> bool:
        """Whether all is read, wherever it went; commands may wait."""
        topics = Topics(directory_on=True)
        return all(
            self.is_caught_up(stream)
            and all(self._is_read(topic, stream) for topic in topics.queues)
            for stream in range(self.num_streams)
        )

    def _is_read(self, topic: str, stream: int) -> bool:
        log = self.kafka.log(topic, stream)
        unread, _ = log.read(max(self.next_in(topic, stream), log.begin), 1)
        return not unread and log.stable_end == log.end

    def parked(self) -> int:
        """How many commands wait, as committed."""
        extents = [self.metadata(stream)["directory"] for stream in range(self.num_streams)]
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
                elif answer.get("revoked") and where[1] == -1:
                    assert where[0] == stream, "an order of the time before, of another stream"
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
