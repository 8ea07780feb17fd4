"""Taking a stream over: whose transactions are ended, and whose are left alone."""

import asyncio

import pytest

from processor.errors import SessionLost, TaskLost
from processor.task.context import TaskContext
from processor.task.gate import Gate, Stopped
from processor.task.handover import last_position, require_untouched, take_over
from processor.task.ports import Membership, Partition, TransactionView
from tests.fakes.broker import FakeBroker
from tests.fakes.group import FakeGroup
from tests.task.directory_world import DirectoryWorld
from tests.task.events import place
from tests.task.world import World
from tests.waiting import eventually


def _context(world: World, broker: FakeBroker, group: FakeGroup | None = None) -> TaskContext:
    """A task's of stream 0; with a group, which has never heard of it."""
    gate = Gate()
    gate.open()
    committer = world.committer(broker)
    committer.membership = Membership("an heir", 1)
    return world.context(broker, committer, gate, group=None if group is None else group.member())


async def _dead_in_its_take_over(world: World) -> str:
    """A process that died before it was named in any position; its transactional id."""
    broker = world.broker()
    async with world.task(broker) as running:
        origin_is_there = world.progress().origin is not None
        held = broker.link.hold("end", nth=1 if origin_is_there else 2)
        await running.until(held.reached.is_set, "the take-over's round")
        await running.kill()
    (owner,) = world.kafka.holders([Partition(world.topics.progress, 0)])
    return owner


async def test_the_open_transaction_of_a_dead_owner_is_ended_and_no_other() -> None:
    world = DirectoryWorld()
    await world.work()
    await world.crash(0, place("o1", world.users[0]))
    (owner,) = world.kafka.holders([Partition(world.topics.progress, 0)])
    # Another one that is open in a queue is somebody else's business.
    queue = Partition(world.topics.claims, 0)
    epoch = world.kafka.acquire("somebody's")
    world.kafka.send("somebody's", epoch, queue, [(None, b"{}", [])])
    broker = world.broker()
    await take_over(_context(world, broker))
    assert not world.kafka.describe(owner).is_open
    assert world.kafka.describe("somebody's").is_open
    # It was named in the position: nobody had to wait and ask who it is.
    assert broker.link.calls.count("describe") == 2
    assert broker.link.calls.count("abort") == 1


async def test_a_sleeping_owner_whose_transaction_was_ended_commits_nothing_more() -> None:
    world = World()
    await world.run_task()
    broker = world.broker()
    async with world.task(broker) as sleeping:
        await sleeping.until(lambda: bool(sleeping.watcher.commits), "runs")
        held = broker.link.hold("end")
        world.send(place("o1"))
        await sleeping.until(held.reached.is_set, "all written")
        await take_over(_context(world, world.broker()))
        held.release()
        with pytest.raises(SessionLost, match="ProducerFenced"):
            await sleeping.fails()
    assert world.answers() == []


@pytest.mark.parametrize("ran_before", [False, True])
async def test_an_owner_that_died_in_its_take_over_is_found_though_no_position_names_it(
    ran_before: bool,
) -> None:
    world = World()
    if ran_before:
        await world.run_task()
    owner = await _dead_in_its_take_over(world)
    await take_over(_context(world, world.broker()))
    assert not world.kafka.describe(owner).is_open
    world.send(place("o1"))
    await world.run_task()
    await world.check()


@pytest.mark.parametrize("named", [False, True])
async def test_nothing_is_ended_by_a_process_that_the_group_does_not_confirm(named: bool) -> None:
    world = DirectoryWorld()
    await world.work()
    if named:
        await world.crash(0, place("o1", world.users[0]))
    else:
        await _dead_in_its_take_over(world)
    (owner,) = world.kafka.holders([Partition(world.topics.progress, 0)])
    broker = world.broker()
    with pytest.raises(TaskLost, match="the group does not say that the stream is ours"):
        await take_over(_context(world, broker, FakeGroup(2)))
    assert world.kafka.describe(owner).is_open
    assert "abort" not in broker.link.calls


class Ending(FakeBroker):
    """The last owner's transaction is ending for a while."""

    left = 3
    named = "?"

    async def transaction_of(self, transactional_id: str) -> TransactionView:
        self.named = transactional_id
        seen = await super().transaction_of(transactional_id)
        self.left -= 1
        progress = frozenset({Partition(self.kafka.topics.progress, 0)})
        return seen._replace(is_ending=self.left >= 0, partitions=progress)


async def test_a_transaction_that_is_ending_is_waited_for() -> None:
    world = World()
    await world.run_task()
    broker = Ending(world.kafka)
    await take_over(_context(world, broker))
    assert broker.left == -1
    assert broker.named == world.position()["owner"]
    assert "abort" not in broker.link.calls


async def test_a_task_that_is_told_to_stop_waits_for_no_transaction() -> None:
    world = World()
    await world.run_task()
    broker = Ending(world.kafka)
    broker.left = 10**9
    context = _context(world, broker)
    context.gate.stop()
    with pytest.raises(Stopped):
        await take_over(context)


async def test_a_healthy_process_is_left_alone_in_a_stream_that_it_gave_up() -> None:
    world, group = DirectoryWorld(), FakeGroup(2, by_hand=True)
    world.kafka.group = group
    giving, taking = group.member(), group.member()
    async with (
        world.process(world.broker(), giving) as giver,
        world.process(world.broker(), taking) as taker,
    ):
        await eventually(lambda: len(group.members) == 2)
        await group.rebalance({giving: frozenset({0, 1})})
        snapshots = [world.kafka.log(world.topics.snapshots, one) for one in (0, 1)]
        await giver.until(lambda: all(one.records() for one in snapshots), "both run")
        owner, fences = world.position(0)["owner"], giver.link.calls.count("fence")
        slow, held = taker.link.hold("bounds"), giver.link.hold("end")
        await group.rebalance({giving: frozenset({1}), taking: frozenset({0})})
        # It claims the id of its order from the shard that it gave up.
        world.send(place(world.id_in(0), world.users[1]), stream=1)
        await giver.until(held.reached.is_set, "a transaction of the other stream")
        assert Partition(world.topics.claims, 0) in world.kafka.describe(owner).partitions
        slow.release()
        await taker.until(lambda: world.position(0)["owner"] != owner, "the take-over")
        assert world.kafka.describe(owner).is_open
        assert "describe" in taker.link.calls
        held.release()
        await taker.until(world.is_at_rest)
        assert world.position(1)["owner"] == owner
        assert giver.link.calls.count("fence") == fences
        assert "abort" not in taker.link.calls
    await world.check_all()


@pytest.mark.parametrize("behind", [0, 255, 256, 3000])
async def test_the_last_position_is_found_however_much_stands_behind_it(behind: int) -> None:
    world = World()
    context = _context(world, world.broker())
    assert await last_position(context) is None
    world.kafka.append(
        world.topics.progress,
        0,
        [
            *[(b"other", b"1", [])] * 3000,
            (b"position", b"old", []),
            (b"position", b"new", []),
            *[(b"other", b"1", [])] * behind,
        ],
    )
    assert await last_position(context) == b"new"


async def _written(world: World) -> tuple[FakeBroker, TaskContext, bytes]:
    await world.run_task()
    broker = world.broker()
    written = world.progress().position_value
    assert written is not None
    return broker, _context(world, broker), written


async def test_a_stream_that_nobody_has_touched_is_found_so() -> None:
    world = World()
    _, context, written = await _written(world)
    await require_untouched(context, written)


async def test_a_stream_that_somebody_has_had_is_found_so_though_nothing_was_applied() -> None:
    world = World()
    _, context, written = await _written(world)
    await world.run_task()
    with pytest.raises(TaskLost, match="another process has had the stream"):
        await require_untouched(context, written)


async def test_a_stream_in_which_somebody_has_a_transaction_open_is_not_untouched() -> None:
    world = World()
    broker, context, written = await _written(world)
    owner = await _dead_in_its_take_over(world)
    with pytest.raises(TaskLost, match="another process has had the stream"):
        await require_untouched(context, written)
    # It is not ended here: whoever takes the stream over does that.
    assert world.kafka.describe(owner).is_open
    assert "abort" not in broker.link.calls


async def test_a_transaction_that_ends_meanwhile_leaves_the_stream_as_it_was() -> None:
    world = World()
    broker, context, written = await _written(world)
    epoch = world.kafka.acquire("somebody's")
    where = Partition(world.topics.results, 0)
    world.kafka.send("somebody's", epoch, where, [(None, b"{}", [])])
    untouched = asyncio.create_task(require_untouched(context, written))
    await eventually(lambda: broker.link.calls.count("bounds") >= 3, what="looks")
    assert not untouched.done()
    world.kafka.abort(world.kafka.describe("somebody's"))
    await untouched
