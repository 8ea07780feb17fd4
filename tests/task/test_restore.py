"""A task that goes on where another one stopped, or refuses to."""

import logging
from typing import Any

import pytest

from processor.errors import BrokenInvariant, TaskLost, UsageError
from processor.task.ports import Partition
from processor.wire.position import (
    ORIGIN_KEY,
    POSITION,
    POSITION_KEY,
    Position,
    dump_origin,
    dump_position,
)
from processor.wire.record import Record
from tests.fakes.link import Fault
from tests.task.events import cancel, cancel_all, pause, place, user_of
from tests.task.world import APP_ID, World

OWN_GROUP = APP_ID, Partition("orders.events", 0)


def rewrite_position(world: World, **changes: Any) -> None:
    """Let the stream stand somewhere else."""
    position = POSITION.validate_python({**world.position(), **changes})
    record: Record = POSITION_KEY.encode(), dump_position(position), []
    world.kafka.append(world.topics.progress, 0, [record])


async def test_a_new_task_has_the_orders_of_the_one_before() -> None:
    world = World()
    world.send(place("o1"), place("o2", "bob"), pause("o1", "alice"))
    await world.run_task()
    world.send(place("o1"), pause("o1", "alice"), cancel("o2", "bob"), place("o3"))
    await world.run_task()
    await world.check()
    assert await world.listed() == ["o1(paused)", "o3"]
    assert [answer.get("reason") for answer in world.answers()[3:]] == [
        "duplicate_order",
        "already_paused",
        None,
        None,
    ]


async def test_placement_order_survives_a_change_that_came_later() -> None:
    world = World()
    world.send(place("o1"), place("o2"), place("o3"), pause("o1", "alice"))
    await world.run_task()
    world.kafka.log(world.topics.live, 0).compact()
    await world.run_task()
    world.send(place("o4"))
    await world.run_task()
    await world.check()
    assert await world.listed() == ["o1(paused)", "o2", "o3", "o4"]


async def test_holes_and_an_aborted_end_do_not_stop_a_restore() -> None:
    world = World()
    world.send(*(place(f"o{n}") for n in range(6)), cancel("o5", "alice"), cancel("o0", "alice"))
    await world.run_task()
    world.send(place("o6"))
    crashing = world.broker()
    crashing.link.fail(Fault.HALF, "commit")
    with pytest.raises(TaskLost):
        await world.run_task(broker=crashing)
    log = world.kafka.log(world.topics.live, 0)
    log.compact(drop_tombstones=True)
    await world.run_task()
    # Now the end is a hole: all that was there is shadowed.
    world.send(cancel("o6", "alice"))
    await world.run_task()
    log.compact(drop_tombstones=True)
    assert log.records()[-1].offset < log.end - 2

    world.send(place("o7"), cancel("o1", "alice"))
    await world.run_task()
    assert await world.listed() == ["o2", "o3", "o4", "o7"]
    assert world.answered() == list(range(12))


async def test_seq_never_goes_back_when_compaction_drops_the_highest() -> None:
    world = World()
    world.send(place("o1"), place("o2"), cancel("o2", "alice"), cancel("o1", "alice"))
    await world.run_task()
    highest = max(world.seqs())
    world.kafka.log(world.topics.live, 0).compact(drop_tombstones=True)
    assert world.seqs() == []

    world.send(place("o3"))
    await world.run_task()
    assert world.seqs()[0] > highest


async def test_seq_goes_on_from_the_end_of_the_table_if_that_is_greatest() -> None:
    world = World()
    for number in range(5):
        world.send(place(f"o{number}"))
        await world.run_task()
    end = world.kafka.log(world.topics.live, 0).end
    assert end > world.position()["seq"]
    world.send(place("last"))
    await world.run_task()
    assert world.seqs()[-1] > end


async def test_seq_goes_on_from_the_position_if_that_is_greatest() -> None:
    world = World()
    world.send(place("o1"))
    await world.run_task()
    rewrite_position(world, seq=1000)
    world.send(place("o2"))
    await world.run_task()
    assert world.seqs() == [1, 1001]


async def test_records_in_outputs_without_a_position_are_refused() -> None:
    world = World()
    world.send(place("o1"))
    await world.run_task()
    log = world.kafka.log(world.topics.progress, 0)
    log.delete_before(log.end)
    with pytest.raises(
        UsageError,
        match=r"orders\.progress/0 does not say where the stream stands, but orders\.live/0 has "
        r"records.*--topic-prefix",
    ):
        await world.run_task()
    assert world.committed_offset() == -1
    assert world.answered() == [0]


async def test_outputs_that_once_had_records_count_though_they_are_empty_now() -> None:
    world = World()
    log = world.kafka.log(world.topics.results, 0)
    world.kafka.append(world.topics.results, 0, [(None, b"{}", [])])
    log.delete_before(log.end)
    with pytest.raises(UsageError, match=r"orders\.results/0 has records"):
        await world.run_task()


async def test_a_position_without_its_origin_is_refused() -> None:
    world = World()
    await world.run_task()
    world.kafka.log(world.topics.progress, 0).delete_before(1)
    with pytest.raises(UsageError, match=r"but orders\.progress/0 has records"):
        await world.run_task()


@pytest.mark.parametrize(("offset", "said"), [(0, "0"), (9, "9"), (None, "none")])
async def test_a_group_s_offset_that_differs_is_said_and_mended(
    offset: int | None, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    world.send(place("o1"))
    await world.run_task()
    assert world.group_offset() == 1
    if offset is None:
        del world.kafka.group_offsets[OWN_GROUP]
    else:
        world.kafka.group_offsets[OWN_GROUP] = offset
    await world.run_task()
    (line,) = [one for one in caplog.messages if "live-orders has the offset" in one]
    assert f"the offset {said} on orders.events/0, its position says 1" in line
    assert world.group_offset() == 1
    await world.check()


async def test_a_group_s_offset_that_is_right_is_not_spoken_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    world.send(place("o1"))
    await world.run_task()
    await world.run_task()
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


async def test_all_input_offsets_are_told_to_the_group() -> None:
    world = World()
    world.send(place("o1"))
    await world.run_task()
    position = world.position()
    told = {where.topic: offset for (_, where), offset in world.kafka.group_offsets.items()}
    assert told == {
        world.topics.events: position["events"],
        world.topics.routed: position["routed"],
        world.topics.claims: position["claims"],
    }


async def test_a_changed_partition_count_is_refused() -> None:
    world = World()
    world.send(place("o1"))
    await world.run_task()
    with pytest.raises(UsageError, match=r"orders\.events had 1 partitions .* and has 2 now"):
        await world.run_task(num_streams=2)
    assert world.answered() == [0]


async def test_a_table_of_another_partition_count_is_refused() -> None:
    world = World()
    user = user_of(1, 2)
    world.send(place("o1", user))
    await world.run_task()
    origin = world.progress().origin
    assert origin is not None
    record: Record = ORIGIN_KEY.encode(), dump_origin({**origin, "generation": 2}), []
    world.kafka.append(world.topics.progress, 0, [record])
    with pytest.raises(UsageError, match=f"user '{user}'.*stream 1 of 2.*partitions was changed"):
        await world.run_task(num_streams=2)
    assert world.answered() == [0]


async def test_events_that_retention_removed_unread_are_named() -> None:
    world = World()
    world.send(place("o1"), place("o2"))
    await world.run_task()
    world.send(*(cancel("o1", "alice") for _ in range(5)))
    world.kafka.log(world.topics.events, 0).delete_before(6)
    with pytest.raises(
        UsageError, match=r"events 2 to 5 of orders\.events/0.*--accept-lost-events"
    ):
        await world.run_task()
    assert world.committed_offset() == 2


async def test_lost_events_are_passed_over_when_that_is_accepted() -> None:
    world = World()
    world.send(place("o1"), place("o2"))
    await world.run_task()
    world.send(*(cancel("o1", "alice") for _ in range(5)))
    world.kafka.log(world.topics.events, 0).delete_before(6)
    await world.run_task(accept_lost_events=True)
    assert world.answered() == [0, 1, 6]
    assert await world.listed() == ["o2"]


async def test_a_first_start_on_events_that_are_gone_already_is_refused_too() -> None:
    world = World()
    world.send(place("o1"), place("o2"), place("o3"))
    world.kafka.log(world.topics.events, 0).delete_before(2)
    with pytest.raises(UsageError, match="events 0 to 1 of"):
        await world.run_task()
    await world.run_task(accept_lost_events=True)
    assert world.answered() == [2]


async def test_events_removed_under_a_running_task_are_refused_by_the_next() -> None:
    world = World()
    broker = world.broker()
    held = broker.link.hold("fetch")
    async with world.task(broker) as running:
        await running.until(held.reached.is_set)
        world.send(place("o1"), place("o2"))
        world.kafka.log(world.topics.events, 0).delete_before(1)
        held.release()
        with pytest.raises(TaskLost):
            await running.fails()
    with pytest.raises(UsageError, match=r"events 0 to 0 of orders\.events/0 were removed"):
        await world.run_task()


async def test_events_removed_under_a_running_task_are_passed_over_when_that_is_accepted() -> None:
    world = World()
    broker = world.broker()
    held = broker.link.hold("fetch")
    async with world.task(broker, accept_lost_events=True) as running:
        await running.until(held.reached.is_set)
        world.send(place("o1"), place("o2"))
        world.kafka.log(world.topics.events, 0).delete_before(1)
        held.release()
        # The next task finds the gap at its start, and goes on behind it.
        with pytest.raises(TaskLost):
            await running.fails()
    await world.run_task(accept_lost_events=True)
    assert world.answered() == [1]


async def test_a_position_past_the_end_is_refused() -> None:
    world = World()
    world.send(place("o1"))
    await world.run_task()
    rewrite_position(world, events=9)
    with pytest.raises(UsageError, match=r"position 9 is past the end 1 of orders\.events/0"):
        await world.run_task()


async def test_a_table_that_lost_records_is_a_broken_invariant() -> None:
    world = World()
    world.send(place("o1"), place("o2"))
    await world.run_task()
    world.kafka.log(world.topics.live, 0).delete_before(1)
    with pytest.raises(
        BrokenInvariant, match=r"orders\.live/0 holds 1 live orders that are not the 2 "
    ):
        await world.run_task()


async def test_a_record_of_somebody_else_in_the_table_is_a_broken_invariant() -> None:
    world = World()
    world.send(place("o1"))
    await world.run_task()
    end = world.kafka.append(world.topics.live, 0, [(b"o9", b'{"hello": 1}', [])])
    with pytest.raises(BrokenInvariant, match=rf"orders\.live/0 at offset {end - 1} is not a"):
        await world.run_task()


async def test_a_tombstone_without_seq_is_a_broken_invariant() -> None:
    world = World()
    world.send(place("o1"))
    await world.run_task()
    world.kafka.append(world.topics.live, 0, [(b"o1", None, [])])
    with pytest.raises(BrokenInvariant, match="not a record of this processor"):
        await world.run_task()


async def test_an_empty_table_restores_from_the_position_alone() -> None:
    world = World()
    world.send(place("o1"), cancel_all())
    await world.run_task()
    world.kafka.log(world.topics.live, 0).compact(drop_tombstones=True)
    await world.run_task()
    world.send(place("o1"))
    await world.run_task()
    assert await world.listed() == ["o1"]


async def test_the_position_says_what_the_stream_is_and_whose() -> None:
    world = World()
    await world.run_task()
    world.send(place("o1"), place("o2"), cancel("o1", "alice"))
    broker = world.broker()
    await world.run_task(broker=broker)
    found = world.position()
    assert found["owner"].startswith("live-orders:orders.:")
    assert found["events"] == 3
    assert found["seq"] == max(world.seqs())
    assert found["live_orders"] == 1
    assert set(found) == set(Position.__annotations__) - {"reorder"}


async def test_a_position_is_never_ahead_of_what_its_round_has_written() -> None:
    world = World()
    world.send(*(place(f"o{number}") for number in range(600)))
    broker = world.broker()
    held = broker.link.hold("end", nth=3)
    async with world.task(broker) as running:
        await running.until(held.reached.is_set)
        assert (world.answers(), world.committed_offset()) == ([], 0)
        held.release()
        await running.until(lambda: bool(world.answers()))
        assert world.committed_offset() == len(world.answers())
        await running.until(world.is_caught_up)
