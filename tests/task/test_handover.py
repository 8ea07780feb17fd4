"""Taking a stream over: what its last owners have open is ended or waited for, and nothing else."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from processor.errors import TaskLost
from processor.task.context import TaskContext
from processor.task.gate import Gate, Stopped
from processor.task.handover import last_position, require_untouched, take_over
from processor.task.ports import Membership, Partition, TransactionView
from processor.wire.position import parse_position
from processor.wire.record import Record
from tests.fakes.group import FakeGroup, FakeMember
from tests.positions import a_position, record_of
from tests.task.events import place, user_of
from tests.task.owner import Owner
from tests.task.world import APP_ID, Running, World
from tests.waiting import eventually, turns


class Scene:
    """A process that is about to take stream 0 of two over from another one."""

    def __init__(self) -> None:
        self.world = World(2)
        self.topics = self.world.topics
        self.broker = self.world.broker()
        self.link = self.broker.link
        self.committer = self.world.committer(self.broker)
        self.committer.membership = Membership("us", 1)
        self.gate = Gate()
        self.gate.open()
        self.asked: list[Membership] = []
        self.is_ours = True
        self.context: TaskContext = replace(
            self.world.context(self.broker, self.committer, self.gate), is_member=self._is_member
        )
        self.other = Owner(self.world)

    async def _is_member(self, membership: Membership) -> bool:
        self.asked.append(membership)
        return self.is_ours

    def owned_by_the_other(self, *more: Record) -> None:
        """Let the other one be the last owner."""
        self.other.write(self.topics.progress, record_of(a_position(self.other.name)), *more)
        self.other.commit()

    def position_of_the_other(self, events: int = 0) -> Record:
        """A record with the position that it would write."""
        return record_of(a_position(self.other.name, events))

    async def take_over(self) -> None:
        """Do it, within a bound."""
        await asyncio.wait_for(take_over(self.context), 10)

    async def is_waiting(self, job: asyncio.Task[Any]) -> bool:
        """Whether it goes on waiting, for as long as one looks."""
        await eventually(lambda: job.done() or len(self.link.calls) > 10)
        await turns()
        return not job.done()


async def test_a_stream_that_nobody_has_had_is_taken_over_at_once() -> None:
    scene = Scene()
    await scene.take_over()
    assert "describe" not in scene.link.calls


async def test_an_open_transaction_of_the_last_owner_is_ended_and_its_owner_cut_off() -> None:
    scene = Scene()
    scene.owned_by_the_other()
    scene.other.write(scene.topics.live, (b"o1", b"late", []))
    await scene.take_over()
    assert scene.link.calls.count("abort") == 1
    assert scene.asked == [Membership("us", 1)]
    assert not scene.other.is_untouched
    assert scene.world.records(scene.topics.live) == []


@pytest.mark.parametrize("topic", World(1).topics.outputs)
async def test_a_transaction_in_any_of_the_stream_s_own_tables_is_ended(topic: str) -> None:
    scene = Scene()
    scene.owned_by_the_other()
    scene.other.write(topic, (b"k", b"late", []))
    await scene.take_over()
    assert not scene.other.is_untouched


@pytest.mark.parametrize(
    ("topic", "stream"),
    [("orders.live", 1), ("orders.progress", 1), ("orders.claims", 0), ("orders.routed", 0)],
)
async def test_a_transaction_of_the_last_owner_elsewhere_is_left_alone(
    topic: str, stream: int
) -> None:
    scene = Scene()
    scene.owned_by_the_other()
    scene.other.write(topic, (b"k", b"v", []), stream=stream)
    await scene.take_over()
    assert scene.asked == []
    scene.other.commit()


async def test_a_last_owner_that_has_nothing_open_is_left_alone() -> None:
    scene = Scene()
    scene.owned_by_the_other()
    await scene.take_over()
    assert "abort" not in scene.link.calls
    scene.other.write(scene.topics.live, (b"k", b"v", []), stream=1)
    scene.other.commit()


async def test_nothing_is_ended_by_whoever_the_group_does_not_know() -> None:
    scene = Scene()
    scene.owned_by_the_other()
    scene.other.write(scene.topics.live, (b"o1", b"v", []))
    scene.is_ours = False
    with pytest.raises(TaskLost, match="the group does not say that the stream is ours"):
        await scene.take_over()
    scene.other.commit()
    assert len(scene.world.records(scene.topics.live)) == 1


async def test_nothing_is_ended_without_a_membership() -> None:
    scene = Scene()
    scene.owned_by_the_other()
    scene.other.write(scene.topics.live, (b"o1", b"v", []))
    scene.committer.membership = None
    with pytest.raises(TaskLost):
        await scene.take_over()
    assert scene.other.is_untouched


async def test_nothing_is_ended_while_the_stream_may_be_moving() -> None:
    scene = Scene()
    scene.owned_by_the_other()
    scene.other.write(scene.topics.live, (b"o1", b"v", []))
    await scene.gate.shut()
    taking = asyncio.create_task(take_over(scene.context))
    await eventually(lambda: "describe" in scene.link.calls)
    await turns()
    assert scene.asked == []
    assert scene.other.is_untouched
    scene.gate.open()
    await asyncio.wait_for(taking, 10)
    assert not scene.other.is_untouched


async def test_a_transaction_whose_markers_are_being_written_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene()
    scene.owned_by_the_other()
    scene.other.write(scene.topics.live, (b"o1", b"v", []))
    describe = scene.world.kafka.describe
    ending = 3

    def prepared(name: str) -> TransactionView:
        nonlocal ending
        ending -= 1
        if ending == 0:
            scene.other.commit()
        return describe(name)._replace(is_open=False, is_ending=ending > 0)

    monkeypatch.setattr(scene.world.kafka, "describe", prepared)
    await scene.take_over()
    assert ending == 0
    assert "abort" not in scene.link.calls
    assert len(scene.world.records(scene.topics.live)) == 1


async def test_an_owner_that_died_in_its_first_take_over_is_found_and_ended() -> None:
    scene = Scene()
    scene.other.write(scene.topics.progress, scene.position_of_the_other())
    scene.other.tell_group(0)
    await scene.take_over()
    assert not scene.other.is_untouched
    assert await last_position(scene.context) is None
    assert scene.world.group_offset() is None


async def test_an_owner_that_died_in_a_take_over_after_another_is_found_too() -> None:
    scene = Scene()
    scene.owned_by_the_other()
    third = Owner(scene.world, f"{APP_ID}:orders.:third")
    third.write(scene.topics.progress, record_of(a_position(third.name)))
    third.tell_group(0)
    await scene.take_over()
    assert scene.other.is_untouched
    assert not third.is_untouched


async def test_who_holds_a_table_only_for_a_moment_is_waited_for_and_not_ended() -> None:
    scene = Scene()
    scene.other.write(scene.topics.live, (b"o1", b"v", []))
    taking = asyncio.create_task(take_over(scene.context))
    assert await scene.is_waiting(taking)
    scene.other.commit()
    await asyncio.wait_for(taking, 10)
    assert "abort" not in scene.link.calls


async def test_an_offset_that_an_open_transaction_has_is_waited_for() -> None:
    scene = Scene()
    scene.other.tell_group(7)
    taking = asyncio.create_task(take_over(scene.context))
    assert await scene.is_waiting(taking)
    scene.other.commit()
    await asyncio.wait_for(taking, 10)


async def test_what_was_written_until_the_offset_is_stable_is_waited_for() -> None:
    scene = Scene()
    asking = scene.link.hold("committed")
    taking = asyncio.create_task(take_over(scene.context))
    await eventually(asking.reached.is_set)
    scene.other.write(scene.topics.live, (b"o1", b"v", []))
    asking.release()
    calls = len(scene.link.calls)
    await eventually(lambda: len(scene.link.calls) > calls + 5)
    assert not taking.done()
    scene.other.commit()
    await asyncio.wait_for(taking, 10)


async def test_an_own_transaction_in_the_tables_is_waited_for_and_never_ended() -> None:
    scene = Scene()
    own = Owner(scene.world, scene.committer.transactional_id)
    own.write(scene.topics.progress, record_of(a_position(own.name)))
    own.commit()
    own.write(scene.topics.live, (b"o1", b"v", []))
    taking = asyncio.create_task(take_over(scene.context))
    # Longer than after which somebody else would be looked for.
    await eventually(lambda: scene.link.calls.count("describe") >= 2)
    assert not taking.done()
    own.commit()
    await asyncio.wait_for(taking, 10)
    assert "abort" not in scene.link.calls


async def test_what_hangs_of_an_own_transaction_is_ended_without_a_round() -> None:
    scene = Scene()
    own = Owner(scene.world, scene.committer.transactional_id)
    own.write(scene.topics.progress, record_of(a_position(own.name)))
    scene.world.kafka.loses_markers = True
    own.commit()
    asked: list[bool] = []

    def settle() -> None:
        asked.append(True)
        own.settle()

    scene.committer.request_settling = settle  # type: ignore[method-assign]
    await scene.take_over()
    assert asked == [True]
    assert parse_position(await last_position(scene.context) or b"")["owner"] == own.name


async def test_what_hangs_of_another_one_is_ended_as_it_ended() -> None:
    scene = Scene()
    scene.other.write(scene.topics.progress, scene.position_of_the_other())
    scene.world.kafka.loses_markers = True
    scene.other.commit()
    await scene.take_over()
    assert scene.link.calls.count("fence") == 1
    assert parse_position(await last_position(scene.context) or b"")["owner"] == scene.other.name


async def test_an_offset_that_hangs_in_the_group_is_ended_as_it_ended() -> None:
    scene = Scene()
    scene.owned_by_the_other()
    scene.other.tell_group(7)
    scene.world.kafka.loses_markers = True
    scene.other.commit()
    await scene.take_over()
    assert scene.link.calls.count("fence") == 1
    assert scene.world.group_offset() == 7


async def test_an_own_offset_that_hangs_in_the_group_is_ended_without_a_round() -> None:
    scene = Scene()
    own = Owner(scene.world, scene.committer.transactional_id)
    own.write(scene.topics.progress, record_of(a_position(own.name)))
    own.commit()
    own.tell_group(7)
    scene.world.kafka.loses_markers = True
    own.commit()
    scene.committer.request_settling = own.settle  # type: ignore[method-assign]
    await scene.take_over()
    assert "fence" not in scene.link.calls
    assert scene.world.group_offset() == 7


async def test_a_last_owner_is_cut_off_once_for_an_offset_that_another_one_holds() -> None:
    scene = Scene()
    scene.owned_by_the_other()
    third = Owner(scene.world, f"{APP_ID}:orders.:third")
    third.tell_group(7)
    taking = asyncio.create_task(take_over(scene.context))
    await eventually(lambda: scene.link.calls.count("committed") > 200)
    assert scene.link.calls.count("fence") == 1
    assert not taking.done()
    third.commit()
    await asyncio.wait_for(taking, 10)


async def test_a_stop_ends_the_wait() -> None:
    scene = Scene()
    scene.other.write(scene.topics.live, (b"o1", b"v", []))
    taking = asyncio.create_task(take_over(scene.context))
    assert await scene.is_waiting(taking)
    scene.gate.stop()
    with pytest.raises(Stopped):
        await asyncio.wait_for(taking, 10)
    assert scene.other.is_untouched


# The last position


@pytest.mark.parametrize("after", [0, 255, 256, 257, 3_000, 20_000])
async def test_the_last_position_is_found_however_much_comes_after_it(after: int) -> None:
    scene = Scene()
    log = scene.world.kafka.log(scene.topics.progress, 0)
    rest: list[Record] = [(b"key %d" % number, b"", []) for number in range(after)]
    log.append([record_of(b"old"), record_of(b"last"), *rest], 0)
    assert await last_position(scene.context) == b"last"


async def test_a_partition_without_a_position_has_none() -> None:
    scene = Scene()
    assert await last_position(scene.context) is None
    log = scene.world.kafka.log(scene.topics.progress, 0)
    log.append([(b"key", b"", [])] * 600, 0)
    log.delete_before(17)
    assert await last_position(scene.context) is None


async def test_a_position_that_is_not_committed_does_not_count() -> None:
    scene = Scene()
    scene.owned_by_the_other()
    before = await last_position(scene.context)
    scene.other.write(scene.topics.progress, scene.position_of_the_other(5))
    assert await last_position(scene.context) == before
    scene.world.kafka.abort(scene.other.seen)
    assert await last_position(scene.context) == before


async def test_a_position_that_cannot_be_read_names_nobody() -> None:
    scene = Scene()
    scene.world.kafka.append(scene.topics.progress, 0, [record_of(b"somebody's")])
    await scene.take_over()
    assert "describe" not in scene.link.calls


# A stream that comes back


@pytest.fixture
def back() -> tuple[Scene, bytes]:
    """A stream whose last position is ours, and that position."""
    scene = Scene()
    written = a_position(scene.committer.transactional_id, 3)
    scene.world.kafka.append(scene.topics.progress, 0, [record_of(written)])
    return scene, written


async def test_a_stream_with_its_own_last_position_is_untouched(back: tuple[Scene, bytes]) -> None:
    scene, written = back
    await asyncio.wait_for(require_untouched(scene.context, written), 10)


async def test_a_stream_that_another_one_has_had_is_not(back: tuple[Scene, bytes]) -> None:
    scene, written = back
    scene.owned_by_the_other()
    with pytest.raises(TaskLost, match="another process has had the stream meanwhile"):
        await require_untouched(scene.context, written)


async def test_a_stream_without_a_position_is_untouched_as_long_as_it_has_none() -> None:
    scene = Scene()
    await asyncio.wait_for(require_untouched(scene.context, None), 10)
    scene.owned_by_the_other()
    with pytest.raises(TaskLost):
        await require_untouched(scene.context, None)


@pytest.mark.parametrize("offset_too", [False, True])
async def test_what_another_one_has_open_is_waited_for_before_positions_are_compared(
    back: tuple[Scene, bytes], offset_too: bool
) -> None:
    scene, written = back
    scene.other.write(scene.topics.progress, scene.position_of_the_other())
    if offset_too:
        scene.other.tell_group(0)
    comparing = asyncio.create_task(require_untouched(scene.context, written))
    assert await scene.is_waiting(comparing)
    scene.other.commit()
    with pytest.raises(TaskLost):
        await asyncio.wait_for(comparing, 10)


async def test_who_comes_back_to_what_stays_open_has_to_take_over(
    back: tuple[Scene, bytes],
) -> None:
    scene, written = back
    scene.other.write(scene.topics.progress, scene.position_of_the_other())
    scene.other.tell_group(0)
    with pytest.raises(TaskLost):
        await asyncio.wait_for(require_untouched(scene.context, written), 10)
    assert scene.other.is_untouched


# Whole processes


def _both_run(world: World, running: Running, streams: Sequence[int]) -> bool:
    return all(world.committed_offset(stream) >= 0 for stream in streams) and bool(
        running.watcher.commits
    )


async def _share(
    group: FakeGroup, one: FakeMember, other: FakeMember, world: World, first: Running
) -> None:
    await first.until(lambda: one in group.members and other in group.members)
    await group.rebalance({one: frozenset({0, 1})})
    await first.until(lambda: _both_run(world, first, (0, 1)))


async def test_a_healthy_process_is_not_cut_off_for_a_stream_that_it_gave_up() -> None:
    world = World(2)
    world.kafka.group = group = FakeGroup(2, by_hand=True)
    one, other = group.member(), group.member()
    giving, taking = world.broker(), world.broker()
    users = [user_of(stream, 2) for stream in range(2)]
    async with (
        world.process(giving, one) as first,
        world.process(taking, other) as second,
    ):
        await _share(group, one, other, world, first)
        fences = giving.link.calls.count("fence")
        for number in range(5):
            for stream, user in enumerate(users):
                world.send(place(f"{number}-{stream}", user), stream=stream)
            # Its next round is on its way while the other one takes the stream over.
            owners = {one: frozenset({0}), other: frozenset({1})}
            await group.rebalance(owners if number % 2 else {one: frozenset({0, 1})})
            held = giving.link.hold("end")
            world.send(place(f"{number}-more", users[0]), stream=0)
            await first.until(held.reached.is_set)
            if number % 2:
                await second.until(lambda: world.is_caught_up(1), "the other stream")
            held.release()
            await first.until(lambda: world.is_caught_up(0) and world.is_caught_up(1))
        assert giving.link.calls.count("fence") == fences
        assert "abort" not in [*taking.link.calls, *giving.link.calls]
    await world.check(0)
    await world.check(1)


async def test_what_a_killed_process_had_open_is_ended_by_who_takes_its_streams() -> None:
    world = World(2)
    world.kafka.group = group = FakeGroup(2, by_hand=True)
    one, other = group.member(), group.member()
    dying, heir = world.broker(), world.broker()
    users = [user_of(stream, 2) for stream in range(2)]
    async with world.process(heir, other) as second:
        async with world.process(dying, one) as first:
            await _share(group, one, other, world, first)
            held = dying.link.hold("end")
            for stream, user in enumerate(users):
                world.send(place(f"o{stream}", user), stream=stream)
            await first.until(held.reached.is_set)
            await first.kill()
        positions = [Partition(world.topics.progress, stream) for stream in range(2)]
        assert len(world.kafka.holders(positions)) == 1
        await group.rebalance({other: frozenset({0, 1})})
        await second.until(lambda: world.is_caught_up(0) and world.is_caught_up(1))
        assert heir.link.calls.count("abort") == 1
    await world.check(0)
    await world.check(1)
