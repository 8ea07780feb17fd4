"""A task with a shard of the directory that goes on where another one stopped, or refuses to."""

import json

import pytest

from processor.errors import BrokenInvariant, FootingLost, UsageError
from processor.runtime.ports import Committed, OutputRecord
from tests.fakes.link import Fault
from tests.runtime.directory_world import DirectoryWorld
from tests.runtime.events import cancel, place
from tests.runtime.world import APP_ID


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
    assert world.finals()[1, 0] == "1: revoked"
    await world.check_all()


async def test_the_committed_metadata_says_what_the_shard_holds() -> None:
    world = await _with_owners(2)
    found = [world.metadata(stream)["directory"] for stream in (0, 1)]
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


@pytest.mark.parametrize("fault", Fault)
async def test_a_first_start_that_fails_leaves_a_first_start_behind(fault: Fault) -> None:
    world = DirectoryWorld()
    order_id = world.id_in(1)
    world.send(place(order_id, world.users[0]), stream=0)
    await world.run_task(stream=0)
    broker = world.broker()
    broker.link.fail(fault, "commit")
    with pytest.raises(FootingLost):
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
    record: OutputRecord,
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
    answers, committed = world.answers(1), world.kafka.offsets[APP_ID, 1]
    name = f"orders.{topic}"
    end = world.kafka.append(name, 1, [(b"o9", b'{"hello": 1}', [])])
    with pytest.raises(BrokenInvariant, match=rf"{name}/1 has a record at offset {end - 1}"):
        await world.run_task(stream=1)
    assert (world.answers(1), world.kafka.offsets[APP_ID, 1]) == (answers, committed)


@pytest.mark.parametrize("topic", ["claims", "routed"])
async def test_a_queue_without_its_committed_offset_is_refused(topic: str) -> None:
    world = await _with_owners(1)
    del world.kafka.queue_offsets[APP_ID, 1][f"orders.{topic}"]
    with pytest.raises(UsageError, match=rf"has no committed offset on orders\.{topic}/1"):
        await world.run_task(stream=1)


async def test_a_queue_whose_unread_records_were_removed_is_refused() -> None:
    world = await _with_owners(1)
    log = world.kafka.log(world.topics.claims, 1)
    committed = world.next_in(world.topics.claims, 1)
    world.send(cancel(next(iter(world.owners()))), stream=0)
    await world.run_task(stream=0)
    log.delete_before(log.end)
    with pytest.raises(UsageError, match=rf"committed offset {committed} on orders\.claims/1"):
        await world.run_task(stream=1)


async def test_a_queue_that_ends_before_its_committed_offset_is_refused() -> None:
    world = await _with_owners(1)
    world.kafka.queue_offsets[APP_ID, 1][world.topics.routed] = 99
    with pytest.raises(UsageError, match=r"committed offset 99 on orders\.routed/1, which has 0"):
        await world.run_task(stream=1)


async def test_a_changed_partition_count_is_refused_by_the_shard_too() -> None:
    world = DirectoryWorld(1)
    # Its user stays in stream 0, its id does not.
    two = DirectoryWorld(2)
    order_id = two.id_in(1)
    world.send(place(order_id, two.users[0]))
    await world.work()
    with pytest.raises(
        UsageError, match=f"order '{order_id}'.*partition 1 of 2.*partitions was changed"
    ):
        await world.run_task(num_streams=2)


async def test_a_committed_offset_that_lags_behind_the_shard_is_asked_for_again() -> None:
    world = await _with_owners(1)
    old = world.kafka.offsets[APP_ID, 1]
    world.send(cancel(next(iter(world.owners()))), stream=0)
    await world.work()
    broker = world.broker()
    broker.stale_committed.append(old)
    with pytest.raises(FootingLost, match="moved on under the restore"):
        await world.run_task(stream=1, broker=broker)
    await world.run_task(stream=1, broker=broker)
    await world.check_all()


async def test_a_stream_that_goes_on_elsewhere_under_its_restore_breaks_no_invariant() -> None:
    world = await _with_owners(1)
    asleep = world.broker()
    held = asleep.link.hold("read")
    async with world.task(asleep, stream=1) as zombie:
        await zombie.until(held.reached.is_set, "the restore")
        world.send(cancel(next(iter(world.owners()))), stream=0)
        await world.work()
        held.release()
        with pytest.raises(FootingLost):
            await zombie.fails()
    await world.check_all()


async def test_queues_that_were_purged_elsewhere_while_it_is_restored_are_no_loss() -> None:
    world = await _with_owners(1)
    asleep = world.broker()
    # The one that the queues' offsets are asked for with.
    asleep.link.hold("committed").release()
    asleep.link.hold("bounds").release()
    asleep.link.hold("bounds").release()
    held = asleep.link.hold("bounds")
    async with world.task(asleep, stream=1) as zombie:
        await zombie.until(held.reached.is_set, "the restore")
        world.send(cancel(next(iter(world.owners()))), stream=0)
        async with world.all_streams() as heir:
            await heir.until(world.is_at_rest)
            world.clock.advance(10_000)
            log = world.kafka.log(world.topics.claims, 1)
            await heir.until(lambda: log.begin == world.next_in(world.topics.claims, 1), "purge")
        held.release()
        with pytest.raises(FootingLost):
            await zombie.fails()
    await world.check_all()


async def test_as_many_owners_with_other_placements_are_a_broken_invariant() -> None:
    world = await _with_owners(2)
    committed = world.kafka.offsets[APP_ID, 1]
    wrong = json.loads(committed.metadata)
    wrong["directory"]["owners_sum"] += 1
    world.kafka.offsets[APP_ID, 1] = Committed(committed.offset, json.dumps(wrong))
    with pytest.raises(BrokenInvariant, match=r"holds 2 owners"):
        await world.run_task(stream=1)
