"""A task whose ``orders.progress`` is not what was committed."""

import pytest

from processor.errors import BrokenInvariant, TaskLost, UsageError
from processor.wire.record import Record
from tests.task.events import cancel, place
from tests.task.late_world import LateWorld, at, late_settings


async def _with_progress() -> LateWorld:
    """A world with a record of finished offsets and one of ids; an event waits."""
    world = LateWorld(settings=late_settings(dedupe_events=4))
    async with world.task() as running:
        await world.read(running, at(50_000, place("o1")), at(0, place("o2"), event_id="e1"))
        await running.until(lambda: world.position()["progress"]["records"] == 2, "both")
    return world


def _lose(world: LateWorld, key: bytes) -> None:
    """Let the topic have all but the records whose keys begin so."""
    log = world.kafka.log(world.topics.progress, 0)
    latest = {one.key or b"": one for one in log.records()}
    log.delete_before(log.end)
    kept = [
        (one.key, one.value, list(one.headers))
        for one in latest.values()
        if not (one.key or b"").startswith(key)
    ]
    assert len(kept) == len(latest) - 1
    world.kafka.append(world.topics.progress, 0, kept)


@pytest.mark.parametrize("key", [b"finished/", b"ids/"])
async def test_lost_records_are_a_broken_invariant(key: bytes) -> None:
    world = await _with_progress()
    _lose(world, key)
    with pytest.raises(
        BrokenInvariant, match=r"orders\.progress/0 holds 1 keys that are not the 2 of the stream"
    ):
        await world.run_task()


async def test_a_record_that_says_something_else_is_a_broken_invariant() -> None:
    world = await _with_progress()
    records = world.records(world.topics.progress)
    first = next(one for one in records if (one.key or b"").startswith(b"finished/"))
    # Of the same seq, as somebody would write who copies it.
    changed = (first.value or b"").replace(b'"events":[1]', b'"events":[0]')
    assert changed != first.value
    world.kafka.append(world.topics.progress, 0, [(first.key, changed, [])])
    with pytest.raises(BrokenInvariant, match=r"orders\.progress/0 holds 2 keys that are not"):
        await world.run_task()


@pytest.mark.parametrize("key", [b"position", b"origin"])
async def test_a_topic_that_lost_where_the_stream_stands_is_no_first_start(key: bytes) -> None:
    world = LateWorld(settings=late_settings(window_ms=0))
    world.send(place("o1"), cancel("o1"))
    await world.run_task()
    _lose(world, key)
    with pytest.raises(
        UsageError,
        match=r"orders\.progress/0 does not say where the stream stands, but orders\.live/0 has",
    ):
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
        (b"position", b'{"hello": 1}', []),
        (b"origin", b'{"hello": 1}', []),
        (b"position", None, []),
    ],
    ids=[
        "another record",
        "another type",
        "a tombstone without seq",
        "no key",
        "no text",
        "a position",
        "an origin",
        "a position's tombstone",
    ],
)
async def test_a_record_of_somebody_else_is_a_broken_invariant(record: Record) -> None:
    world = await _with_progress()
    end = world.kafka.append(world.topics.progress, 0, [record])
    with pytest.raises(
        BrokenInvariant, match=rf"orders\.progress/0 at offset {end - 1} is not a record"
    ):
        await world.run_task()


async def test_a_record_of_somebody_else_among_what_was_routed_is_a_broken_invariant() -> None:
    world = LateWorld(2)
    async with world.all_streams() as running:
        await world.read(running, at(0, place("o1", world.users[0])), stream=1)
        await running.until(lambda: world.routed_read() > 0, "the routed event")
    end = world.kafka.append(world.topics.routed, 0, [(b"o1", b'{"hello": 1}', [])])
    world.rewrite_position(reorder={**world.position()["reorder"], "routed_read": end})
    with pytest.raises(
        BrokenInvariant, match=rf"orders\.routed/0 has a record at offset {end - 1}"
    ):
        await world.run_task()


async def test_what_goes_on_elsewhere_under_the_restore_breaks_no_invariant() -> None:
    world = await _with_progress()
    asleep = world.broker()
    # It has read all of it by then, but not the events that wait.
    held = asleep.link.hold("topics")
    async with world.task(asleep) as zombie:
        await zombie.until(held.reached.is_set, "the restore")
        async with world.task() as running:
            await world.let_go(running)
        held.release()
        with pytest.raises(TaskLost, match="moved on under the restore"):
            await zombie.fails()
    assert world.outcomes() == ["1: applied", "0: applied"]


async def test_a_topic_from_before_it_was_used_is_as_good_as_new() -> None:
    world = LateWorld(settings=late_settings(window_ms=0))
    world.send(place("o1"))
    await world.run_task()
    assert world.position()["progress"] == {"seq": 0, "records": 0, "sum": 0}
    world.settings = late_settings(dedupe_events=4)
    async with world.task() as running:
        await world.read(running, at(0, place("o2"), event_id="e1"))
        await world.let_go(running)
    assert await world.listed() == ["o1", "o2"]
