"""Watching: the lists, then every committed change, once and in order, whatever happens."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from processor.core.orders.records import order_json
from processor.errors import OffsetGone, TaskLost
from processor.reader.live_watch import LiveWatch
from processor.reader.view_change import ViewChange
from processor.wire.live_order import SEQ_HEADER, Status
from processor.wire.record import Record
from tests.builders import order
from tests.fakes.broker import FakeBroker
from tests.fakes.clock import FakeClock
from tests.fakes.kafka import FakeKafka
from tests.fakes.link import Fault
from tests.fakes.log import Outcome, Transaction
from tests.waiting import eventually, turns

_HOUR_MS = 3_600_000


def live(order_id: str, seq: int, status: Status = "active", placed_seq: int = 0) -> Record:
    """An order's record in ``orders.live``."""
    one = order(order_id, status=status, placed_seq=placed_seq or seq, seq=seq)
    return order_id.encode(), order_json(one, 0), []


def gone(order_id: str, seq: int) -> Record:
    """A removal's record in ``orders.live``."""
    return order_id.encode(), None, [(SEQ_HEADER, b"%d" % seq)]


class Told:
    """A `Watcher` that remembers."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, str]] = []
        self.away = 0
        self.back = 0

    def on_change(self, stream: int, change: ViewChange, timestamp_ms: int | None) -> None:
        self.changes.append((change.kind, change.order.order_id))

    def on_away(self, error: TaskLost | OffsetGone) -> None:
        self.away += 1

    def on_back(self) -> None:
        self.back += 1

    def on_turn(self) -> None:
        pass


class Watched:
    """One stream of a Kafka in memory, and a watch on it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.kafka = FakeKafka(1, clock=self.clock)
        self.broker = FakeBroker(self.kafka)
        self.told = Told()
        self.log = self.kafka.log(self.kafka.topics.live, 0)

    def write(self, *records: Record, outcome: Outcome = Outcome.COMMITTED) -> None:
        """Write records in a transaction and end it."""
        transaction = Transaction()
        self.log.append(records, 1, transaction)
        if outcome is not Outcome.OPEN:
            transaction.end(outcome)

    @asynccontextmanager
    async def following(self) -> AsyncIterator[list[str]]:
        """Read the list, which is yielded, and follow as long as the block runs."""
        watch = LiveWatch(
            self.broker,
            self.kafka.topics,
            [0],
            self.clock,
            max_snapshot_age_ms=_HOUR_MS,
        )
        listed = [one.label() for _, one in await watch.read()]
        following = asyncio.create_task(watch.follow(self.told))
        try:
            yield listed
        finally:
            following.cancel()
            await asyncio.wait([following])

    async def tells(self, *changes: tuple[str, str]) -> None:
        """Wait until these changes, and no others, have been told."""
        await eventually(lambda: len(self.told.changes) >= len(changes))
        assert self.told.changes == list(changes)


async def test_the_list_comes_first_and_then_each_change_by_its_kind() -> None:
    watched = Watched()
    watched.write(live("o1", 1))
    async with watched.following() as listed:
        assert listed == ["o1"]
        watched.write(live("o1", 2, "paused", placed_seq=1))
        watched.write(live("o1", 3, placed_seq=1), live("o2", 4))
        watched.write(gone("o1", 5))
        await watched.tells(
            ("paused", "o1"), ("resumed", "o1"), ("placed", "o2"), ("removed", "o1")
        )


async def test_what_is_aborted_is_never_told() -> None:
    watched = Watched()
    async with watched.following():
        watched.write(live("o1", 1), outcome=Outcome.ABORTED)
        watched.write(live("o2", 2))
        await watched.tells(("placed", "o2"))


async def test_an_open_transaction_is_told_only_once_it_is_committed() -> None:
    watched = Watched()
    transaction = Transaction()
    async with watched.following():
        watched.log.append([live("o1", 1)], 1, transaction)
        await turns()
        assert watched.told.changes == []
        transaction.end(Outcome.COMMITTED)
        await watched.tells(("placed", "o1"))


async def test_an_order_whose_place_was_compacted_away_is_told_as_it_is() -> None:
    watched = Watched()
    async with watched.following():
        watched.write(live("o1", 1), live("o1", 2, "paused", placed_seq=1))
        watched.log.compact()
        await watched.tells(("paused", "o1"))


async def test_an_id_placed_anew_was_removed_before_also_when_that_was_compacted_away() -> None:
    watched = Watched()
    watched.write(live("o1", 1))
    async with watched.following():
        watched.write(gone("o1", 2), live("o1", 3))
        watched.log.compact()
        await watched.tells(("removed", "o1"), ("placed", "o1"))


async def test_a_removal_of_what_was_never_seen_is_not_told() -> None:
    watched = Watched()
    async with watched.following():
        watched.write(gone("o1", 2), live("o2", 3))
        await watched.tells(("placed", "o2"))


async def check_that_nothing_is_missed(fail: Callable[[Watched], None]) -> None:
    watched = Watched()
    async with watched.following():
        watched.write(live("o1", 1))
        await watched.tells(("placed", "o1"))
        fail(watched)
        await eventually(lambda: watched.told.away == 1)
        watched.write(live("o2", 2))
        await watched.tells(("placed", "o1"), ("placed", "o2"))
        assert watched.told.back == 1


async def test_after_a_failed_fetch_it_goes_on_where_it_was() -> None:
    await check_that_nothing_is_missed(lambda one: one.broker.link.fail(Fault.BEFORE, "fetch"))


async def test_after_a_fetch_that_failed_with_its_records_none_is_missed_or_doubled() -> None:
    await check_that_nothing_is_missed(lambda one: one.broker.link.fail(Fault.AFTER, "fetch"))


async def test_after_a_long_time_without_reading_the_list_is_read_anew() -> None:
    watched = Watched()
    watched.write(live("o1", 1), live("o2", 2))
    async with watched.following():
        hold = watched.broker.link.hold("fetch")
        await hold.reached.wait()
        # Meanwhile the removal came and went: no record tells of it any more.
        watched.write(gone("o1", 3), live("o2", 4, "paused", placed_seq=2), live("o3", 5))
        watched.log.compact(drop_tombstones=True)
        watched.clock.advance(_HOUR_MS + 1)
        hold.release()
        await watched.tells(("removed", "o1"), ("paused", "o2"), ("placed", "o3"))


async def test_readers_that_are_not_needed_any_more_are_closed() -> None:
    watched = Watched()
    async with watched.following():
        watched.broker.link.fail(Fault.BEFORE, "fetch")
        await eventually(lambda: watched.told.back == 1)
    assert all(reader.closed for reader in watched.broker.readers)
