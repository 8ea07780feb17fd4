"""A task whose ``orders.progress`` is not what was committed."""

import json

import pytest

from processor.errors import BrokenInvariant, FootingLost
from processor.runtime.ports import Committed, OutputRecord
from tests.runtime.events import place
from tests.runtime.late_world import LateWorld, at, late_settings
from tests.runtime.world import APP_ID


async def _with_progress() -> LateWorld:
    """A world with a record of finished offsets and one of ids; an event waits."""
    world = LateWorld(settings=late_settings(dedupe_events=4))
    async with world.task() as running:
        await world.read(running, at(50_000, place("o1")), at(0, place("o2"), event_id="e1"))
        await running.until(lambda: world.metadata()["progress"]["records"] == 2, "both")
    return world


async def test_lost_records_are_a_broken_invariant() -> None:
    world = await _with_progress()
    world.kafka.log(world.topics.progress, 0).delete_before(1)
    with pytest.raises(
        BrokenInvariant, match=r"orders\.progress/0 holds 1 keys that are not the 2 committed"
    ):
        await world.run_task()


async def test_a_record_that_says_something_else_is_a_broken_invariant() -> None:
    world = await _with_progress()
    first = world.records(world.topics.progress)[0]
    # Of the same seq, as somebody would write who copies it.
    changed = (first.value or b"").replace(b'"events":[1]', b'"events":[0]')
    assert changed != first.value
    world.kafka.append(world.topics.progress, 0, [(first.key, changed, [])])
    with pytest.raises(BrokenInvariant, match=r"orders\.progress/0 holds 2 keys that are not"):
        await world.run_task()


@pytest.mark.parametrize(
    "record",
    [
        (b"finished/0000000000000009", b'{"hello": 1}', []),
        (
            b"ids/0000000000000009",
            b'{"schema":1,"type":"finished","seq":1,"events":[],"routed":[]}',
            [],
        ),
        (b"finished/0000000000000009", None, []),
        (None, b"{}", []),
        (b"\xff", None, [("seq", b"1")]),
    ],
    ids=["another record", "another type", "a tombstone without seq", "no key", "no text"],
)
async def test_a_record_of_somebody_else_is_a_broken_invariant(record: OutputRecord) -> None:
    world = await _with_progress()
    end = world.kafka.append(world.topics.progress, 0, [record])
    with pytest.raises(
        BrokenInvariant, match=rf"orders\.progress/0 at offset {end - 1} is not a record"
    ):
        await world.run_task()


async def test_a_record_of_somebody_else_among_what_was_routed_is_a_broken_invariant() -> None:
    world = LateWorld(2, directory_on=True)
    async with world.all_streams() as running:
        await world.read(running, at(0, place("o1", world.users[0])), stream=1)
        await running.until(lambda: world.routed_read() > 0, "the routed event")
    end = world.kafka.append(world.topics.routed, 0, [(b"o1", b'{"hello": 1}', [])])
    committed = world.kafka.offsets[APP_ID, 0]
    changed = json.loads(committed.metadata)
    changed["reorder"]["routed_read"] = end
    world.kafka.offsets[APP_ID, 0] = Committed(committed.offset, json.dumps(changed))
    with pytest.raises(
        BrokenInvariant, match=rf"orders\.routed/0 has a record at offset {end - 1}"
    ):
        await world.run_task()


async def test_a_committed_offset_that_lags_behind_is_told_by_the_progress_alone() -> None:
    world = await _with_progress()
    old = world.kafka.offsets[APP_ID, 0]
    async with world.task() as running:
        # It is finished beyond the committed offset, and changes no order.
        await world.read(running, b"no event")
        await running.until(lambda: world.kafka.offsets[APP_ID, 0] != old, "a commit")
    broker = world.broker()
    broker.stale_committed += [old, old]
    with pytest.raises(FootingLost, match=r"orders\.progress/0 is at seq 3, .* still at 2"):
        async with world.task(broker) as running:
            await running.fails()


async def test_a_topic_from_before_it_was_used_is_as_good_as_new() -> None:
    world = LateWorld(settings=late_settings(window_ms=0))
    world.send(place("o1"))
    await world.run_task()
    committed = world.kafka.offsets[APP_ID, 0]
    before = json.loads(committed.metadata)
    assert before.pop("progress") == {"seq": 0, "records": 0, "sum": 0}
    world.kafka.offsets[APP_ID, 0] = Committed(committed.offset, json.dumps(before))
    world.settings = late_settings(dedupe_events=4)
    async with world.task() as running:
        await world.read(running, at(0, place("o2"), event_id="e1"))
        await world.let_go(running)
    assert await world.listed() == ["o1", "o2"]
