"""A task with a shard of the directory that goes on where another one stopped, or refuses to."""

import pytest

from processor.errors import BrokenInvariant, TaskLost, UsageError
from processor.wire.position import ORIGIN_KEY, dump_origin
from processor.wire.record import Record
from tests.fakes.link import Fault
from tests.task.directory_world import DirectoryWorld
from tests.task.events import cancel, place


async def _with_owners(count: int) -> DirectoryWorld:
    """A world with orders of stream 0, whose ids belong to shard 1."""
    world = DirectoryWorld()
    for number in range(count):
        world.send(place(world.id_in(1, f"o{number}-"), world.users[0]), stream=0)
    await world.work()
    return world


async def test_a_shard_has_the_owners_of_the_one_before() -> None:
    world = await _with_owners(1)
    world.kafka.log(world.topics.directory, 1).compact()
    (order_id,) = world.owners()
    world.send(place(order_id, world.users[1]), stream=1)
    await world.work()
    # The place's stream is in the process of the shard, which rejects it at once.
    assert world.finals()[1, 0] == "1: duplicate_order"
    await world.check_all()


async def test_the_position_says_what_the_shard_holds() -> None:
    world = await _with_owners(2)
    found = [world.position(stream)["directory"] for stream in (0, 1)]
    assert [one["owners"] for one in found] == [0, 2]
    assert [one["owners_sum"] > 0 for one in found] == [False, True]


async def test_a_first_start_reads_what_others_have_sent_already() -> None:
    world = DirectoryWorld()
    order_id = world.id_in(1)
    world.send(place(order_id, world.users[0]), stream=0)
    await world.run_task(stream=0)
    assert world.committed_offset(1) == -1
    async with world.task(stream=1) as shard:
        await shard.until(lambda: order_id in world.owners(), "the claim")
    await world.check_all()


@pytest.mark.parametrize("nth", [1, 2], ids=["origin", "take-over"])
@pytest.mark.parametrize("fault", Fault)
async def test_a_first_start_that_fails_is_followed_by_one_that_lacks_nothing(
    fault: Fault, nth: int
) -> None:
    world = DirectoryWorld()
    order_id = world.id_in(1)
    world.send(place(order_id, world.users[0]), stream=0)
    await world.run_task(stream=0)
    broker = world.broker()
    broker.link.fail(fault, "commit", nth=nth)
    with pytest.raises(TaskLost):
        await world.run_task(stream=1, broker=broker)
    await world.work()
    assert order_id in world.owners()
    await world.check_all()


async def test_a_table_of_owners_that_lost_records_is_a_broken_invariant() -> None:
    world = await _with_owners(2)
    world.kafka.log(world.topics.directory, 1).delete_before(1)
    with pytest.raises(
        BrokenInvariant, match=r"orders\.directory/1 holds 1 owners and 0 parked .* not the 2 and 0"
    ):
        await world.run_task(stream=1)


async def test_a_table_that_lost_a_parked_command_is_a_broken_invariant() -> None:
    world = DirectoryWorld()
    order_id = world.id_in(1)
    world.send(cancel(order_id), stream=0)
    await world.work()
    log = world.kafka.log(world.topics.directory, 1)
    log.delete_before(log.end)
    with pytest.raises(BrokenInvariant, match=r"0 parked commands that are not the 0 and 1"):
        await world.run_task(stream=1)


@pytest.mark.parametrize(
    "record",
    [
        (b"o9", b'{"hello": 1}', []),
        (b"o9 1:1", b'{"type":"cancel","order_id":"o9"}', []),
        (None, b"{}", []),
        (b"\xff", None, []),
    ],
    ids=["an owner", "a parked command", "no key", "no text"],
)
async def test_a_record_of_somebody_else_in_the_table_is_a_broken_invariant(
    record: Record,
) -> None:
    world = await _with_owners(1)
    end = world.kafka.append(world.topics.directory, 1, [record])
    with pytest.raises(
        BrokenInvariant, match=rf"orders\.directory/1 at offset {end - 1} is not a record"
    ):
        await world.run_task(stream=1)


@pytest.mark.parametrize("topic", ["claims", "routed"])
async def test_a_record_of_somebody_else_in_a_queue_is_a_broken_invariant(topic: str) -> None:
    world = await _with_owners(1)
    name = f"orders.{topic}"
    answers, position = world.answers(1), world.next_in(name, 1)
    end = world.kafka.append(name, 1, [(b"o9", b'{"hello": 1}', [])])
    async with world.task(stream=1) as running:
        with pytest.raises(BrokenInvariant, match=rf"{name}/1 has a record at offset {end - 1}"):
            await running.fails()
    assert (world.answers(1), world.next_in(name, 1)) == (answers, position)


async def test_a_queue_whose_unread_records_were_removed_is_refused() -> None:
    world = await _with_owners(1)
    log = world.kafka.log(world.topics.claims, 1)
    position = world.next_in(world.topics.claims, 1)
    world.send(cancel(next(iter(world.owners()))), stream=0)
    await world.run_task(stream=0)
    log.delete_before(log.end)
    with pytest.raises(
        UsageError,
        match=rf"position {position} of orders\.claims/1 is not in {log.end} to {log.end}",
    ):
        await world.run_task(stream=1)


async def test_a_queue_that_ends_before_its_position_is_refused() -> None:
    world = await _with_owners(1)
    world.rewrite_position(1, routed=99)
    with pytest.raises(UsageError, match=r"position 99 of orders\.routed/1 is not in 0 to 0"):
        await world.run_task(stream=1)


async def test_a_changed_partition_count_is_refused_by_the_shard_too() -> None:
    world = DirectoryWorld(1)
    # Its user stays in stream 0, its id does not.
    two = DirectoryWorld(2)
    order_id = two.id_in(1)
    world.send(place(order_id, two.users[0]))
    await world.work()
    # The origin refuses it before, unless it says something else.
    origin = world.progress(0).origin
    assert origin is not None
    changed = dump_origin({**origin, "generation": 2})
    world.kafka.append(world.topics.progress, 0, [(ORIGIN_KEY.encode(), changed, [])])
    with pytest.raises(
        UsageError, match=f"order '{order_id}'.*partition 1 of 2.*partitions was changed"
    ):
        await world.run_task(num_streams=2)


async def test_a_stream_that_goes_on_elsewhere_under_its_restore_breaks_no_invariant() -> None:
    world = await _with_owners(1)
    asleep = world.broker()
    # It has read its position by then, and none of the other tables.
    held = asleep.link.hold("topics")
    async with world.task(asleep, stream=1) as zombie:
        await zombie.until(held.reached.is_set, "the restore")
        world.send(cancel(next(iter(world.owners()))), stream=0)
        await world.work()
        held.release()
        with pytest.raises(TaskLost, match="moved on under the restore"):
            await zombie.fails()
    await world.check_all()


async def test_queues_that_were_purged_elsewhere_while_it_is_restored_are_no_loss() -> None:
    world = await _with_owners(1)
    asleep = world.broker()
    held = asleep.link.hold("topics")
    async with world.task(asleep, stream=1) as zombie:
        await zombie.until(held.reached.is_set, "the restore")
        world.send(cancel(next(iter(world.owners()))), stream=0)
        async with world.all_streams() as heir:
            await heir.until(world.is_at_rest)
            world.clock.advance(9_999)
            await world.looks(heir)
            world.clock.advance(1)
            log = world.kafka.log(world.topics.claims, 1)
            await heir.until(lambda: log.begin == world.next_in(world.topics.claims, 1), "purge")
        held.release()
        with pytest.raises(TaskLost, match="moved on under the restore"):
            await zombie.fails()
    await world.check_all()


async def test_as_many_owners_with_other_placements_are_a_broken_invariant() -> None:
    world = await _with_owners(2)
    directory = world.position(1)["directory"]
    world.rewrite_position(1, directory={**directory, "owners_sum": directory["owners_sum"] + 1})
    with pytest.raises(BrokenInvariant, match=r"holds 2 owners"):
        await world.run_task(stream=1)
