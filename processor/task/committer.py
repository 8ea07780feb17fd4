"""The committer: one transaction for all streams of a process and round.

Tasks put slices into the open round. The committer closes it as soon as something is in it and the
round before is committed. So an idle process commits at once, and a busy one in bigger rounds.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field

from processor.errors import RoundAborted, SessionLost, TaskLost
from processor.reader.ports import Clock
from processor.task.ports import Membership, Partition, Round, Transactions
from processor.task.signal import Signal
from processor.task.slices import Committed, Participant, Sealed, Slice
from processor.topics import Topics
from processor.wire.position import POSITION_KEY
from processor.wire.record import NO_HEADERS

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RoundSettings:
    """When a round takes no more, and how transactions are spaced.

    ``min_interval_ms`` is the shortest time between the begins of two transactions: each costs the
    broker about the same, however little is in it.
    """

    max_events: int = 20_000
    max_bytes: int = 8 * 1024 * 1024
    min_interval_ms: int = 8
    retry_backoff_ms: int = 100
    max_retry_backoff_ms: int = 2_000


@dataclass(slots=True)
class _Filling:
    """A round, and what the group and the tasks are told of it."""

    records: Round
    sealed: dict[Participant, Sealed] = field(default_factory=dict)
    events: dict[Participant, int] = field(default_factory=dict)
    partitions: set[Partition] = field(default_factory=set)

    @property
    def event_count(self) -> int:
        return sum(self.events.values())


class Committer:
    """Owns the process's transactions.

    ``membership`` is who this process is in the group; None while it is no member. ``on_written``
    is told of each committed round where the partitions in it end.
    """

    def __init__(
        self, transactions: Transactions, clock: Clock, topics: Topics, settings: RoundSettings
    ) -> None:
        self.membership: Membership | None = None
        self.on_written: Callable[[Mapping[Partition, int]], None] = lambda _ends: None
        self._transactions = transactions
        self._clock = clock
        self._topics = topics
        self._settings = settings
        self._open = _Filling(transactions.new_round())
        self._in_flight: _Filling | None = None
        self._committing: asyncio.Task[None] | None = None
        self._slice: Slice | None = None
        self._turns = asyncio.Lock()
        self._ended: TaskLost | None = None
        self._settling_requested = False
        self._changed = Signal()
        self._began_ms = clock.monotonic_ms() - settings.min_interval_ms

    @property
    def transactional_id(self) -> str:
        """The id that positions name as their owner."""
        return self._transactions.transactional_id

    # What tasks do

    async def room(self, participant: Participant) -> None:
        """Wait until the open round takes another slice.

        Raises:
            TaskLost: a round of this task was not committed.
        """
        await self._changed.until(lambda: participant.failure is not None or not self._is_full())
        self._require_alive(participant)

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Wait for a turn to fill a slice.

        One slice is filled in a turn of the event loop. Else all streams that have records would
        fill one before the next request or answer of a transaction gets its turn.
        """
        return self._turns

    @contextmanager
    def slice(self, participant: Participant, events: int = 0) -> Iterator[Slice]:
        """Fill a slice; it is in the open round when the block ends, and gone if that raises.

        Nothing may be awaited in the block.

        Args:
            participant: the task that begins it; the block may touch others.
            events: how many input records it covers.

        Raises:
            TaskLost: a round of this task was not committed.
        """
        self._require_alive(participant)
        assert self._slice is None, "a slice within a slice, or something was awaited in one"
        self._slice = filling = Slice()
        filling.touch(participant, events)
        try:
            yield filling
            sealed = {one: one.seal() for one in list(filling.events)}
        except BaseException as error:
            for one in filling.events:
                if one is not participant:
                    one.lost(RoundAborted(f"a slice of stream {participant.stream}: {error!r}"))
            raise
        finally:
            self._slice = None
        for where, records in filling.records.items():
            added_bytes = self._open.records.add(where, records)
            if where.topic != self._topics.snapshots:
                filling.written_bytes += added_bytes
        self._open.partitions |= filling.records.keys()
        self._open.sealed |= sealed
        for one, count in filling.events.items():
            self._open.events[one] = self._open.events.get(one, 0) + count
        self._changed.notify()

    @property
    def filling(self) -> Slice:
        """The slice that is being filled."""
        assert self._slice is not None, "written outside of a slice"
        return self._slice

    def is_queued(self, where: Partition) -> bool:
        """Whether a round that is not committed yet has records for a partition."""
        in_flight = self._in_flight is not None and where in self._in_flight.partitions
        return in_flight or where in self._open.partitions

    def has_written(self, participant: Participant) -> bool:
        """Whether the open round has a slice of this task."""
        return participant in self._open.sealed

    async def settled(self, participant: Participant) -> None:
        """Wait until all slices of a task are committed.

        Raises:
            TaskLost: they are not.
        """
        await self._changed.until(
            lambda: participant.failure is not None or not self._has(participant)
        )
        if participant.failure is not None:
            raise participant.failure

    def request_settling(self) -> None:
        """End soon what hangs of the process's last transaction, as it holds a stream up."""
        self._settling_requested = True
        self._changed.notify()

    # What the group's side does

    async def drained(self) -> None:
        """Wait until nothing is open or on its way."""
        await self._changed.until(lambda: self._in_flight is None and not self._open.sealed)

    def cut(self) -> None:
        """Give up what is open or on its way; its tasks restore.

        A round that stayed open would be committed in the group's next generation, whoever has its
        streams by then.
        """
        if self._committing is not None:
            self._committing.cancel()
        self._lose(SessionLost("a transaction took too long and was given up"))

    async def run(self) -> None:
        """Commit round after round, until cancelled.

        Raises:
            LiveOrdersError: Kafka refuses us.
        """
        try:
            await self._acquire()
            while True:
                await self._changed.until(
                    lambda: bool(self._open.sealed) or self._settling_requested
                )
                if self._settling_requested:
                    await self._settle()
                await self._pace()
                await self._commit_open()
        finally:
            self._ended = SessionLost("the process ends")
            self._lose(self._ended)
            self._in_flight = None
            await self._transactions.close()

    # Rounds

    def _is_full(self) -> bool:
        settings = self._settings
        return (
            self._open.records.size_bytes >= settings.max_bytes
            or self._open.event_count >= settings.max_events
        )

    def _has(self, participant: Participant) -> bool:
        in_flight = self._in_flight is not None and participant in self._in_flight.sealed
        return in_flight or participant in self._open.sealed

    def _require_alive(self, participant: Participant) -> None:
        failure = participant.failure or self._ended
        if failure is not None:
            raise failure

    async def _pace(self) -> None:
        since_ms = self._clock.monotonic_ms() - self._began_ms
        wait_ms = self._settings.min_interval_ms - since_ms
        if wait_ms > 0 and not self._is_full():
            await self._clock.sleep(wait_ms)
        self._began_ms = self._clock.monotonic_ms()

    async def _settle(self) -> None:
        self._settling_requested = False
        try:
            await self._transactions.settle()
        except SessionLost as error:
            self._lose(error)
            await self._acquire()

    async def _commit_open(self) -> None:
        if not self._open.sealed:
            return  # its tasks were lost meanwhile
        self._in_flight, self._open = self._open, _Filling(self._transactions.new_round())
        self._changed.notify()
        self._committing = asyncio.create_task(self._commit(self._in_flight))
        try:
            await asyncio.wait([self._committing])
            if self._committing.cancelled():
                raise SessionLost("a transaction took too long and was given up")
            self._committing.result()
        except TaskLost as error:
            self._lose(error)
            if not isinstance(error, RoundAborted):
                await self._acquire()
        finally:
            self._committing.cancel()
            self._committing = None
        self._in_flight = None
        self._changed.notify()

    async def _commit(self, filled: _Filling) -> None:
        began_ns = self._clock.monotonic_ns()
        offsets: dict[Partition, int] = {}
        for one, sealed in filled.sealed.items():
            where = Partition(self._topics.progress, one.stream)
            filled.records.add(where, [(POSITION_KEY.encode(), sealed.position, NO_HEADERS)])
            for topic, offset in sealed.offsets.items():
                offsets[Partition(topic, one.stream)] = offset
        ends = await self._transactions.commit(filled.records, offsets, self.membership)
        commit_ns = self._clock.monotonic_ns() - began_ns
        self.on_written(ends)
        for one, sealed in filled.sealed.items():
            one.committed(Committed(sealed, filled.events[one], commit_ns, ends))

    def _lose(self, error: TaskLost) -> None:
        """Tell all that have slices in the failed round or in the next: both are gone."""
        lost = {**self._open.sealed}
        if self._in_flight is not None:
            lost |= self._in_flight.sealed
        self._open = _Filling(self._transactions.new_round())
        for one in lost:
            one.lost(error)
        self._changed.notify()

    async def _acquire(self) -> None:
        backoff_ms = self._settings.retry_backoff_ms
        while True:
            try:
                await self._transactions.acquire()
                return
            except SessionLost as error:
                _log.warning("%s; trying again", error)
            await self._clock.sleep(backoff_ms)
            backoff_ms = min(2 * backoff_ms, self._settings.max_retry_backoff_ms)
