"""Round trips: commands and places that concern other streams."""

from processor.wire.record import Header
from processor.wire.timestamp import format_time
from tests.task.directory_world import GRACE_MS, DirectoryWorld
from tests.task.events import cancel, cancel_all, pause, place, resume


async def test_a_cancel_by_id_alone_finds_the_order_of_another_stream() -> None:
    world = DirectoryWorld()
    world.send(place("o1", world.users[0]), stream=0)
    await world.work()
    world.send(cancel("o1"), stream=1)
    await world.work()
    assert world.results_of(1, 0) == ["0: applied", "1: forwarded"]
    assert await world.listed() == []
    await world.check_all()


async def test_until_a_forwarded_command_arrives_that_is_all_that_is_said_of_it() -> None:
    world = DirectoryWorld()
    order_id = world.id_in(0)
    world.send(place(order_id, world.users[0]), stream=0)
    await world.work()
    world.send(cancel(order_id), stream=1)
    await world.run_task(stream=1)
    assert world.results_of(1, 0) == ["1: forwarded"]
    assert await world.listed() == [order_id]


async def test_commands_by_id_alone_from_one_partition_take_effect_in_their_order() -> None:
    world = DirectoryWorld()
    world.send(place("o1", world.users[0]), stream=0)
    await world.work()
    world.send(resume("o1"), pause("o1"), pause("o1"), resume("o1"), cancel("o1"), stream=1)
    await world.work()
    final = [world.finals()[1, offset] for offset in range(5)]
    assert final == ["0: not_paused", "0: applied", "0: already_paused", "0: applied", "0: applied"]
    await world.check_all()


async def test_of_an_id_that_two_streams_place_one_is_revoked_with_a_correction() -> None:
    world = DirectoryWorld()
    for stream in (0, 1):
        world.send(place("o1", world.users[stream]), stream=stream)
    await world.work()
    await world.check_all()
    assert sorted(one[3:] for one in world.finals().values()) == ["applied", "revoked"]
    lost = next(where[0] for where, told in world.finals().items() if "revoked" in told)
    (_, first), (_, correction) = world.said_of(lost, 0)
    assert (first["result"], "revoked" in first) == ("applied", False)
    assert (correction["reason"], correction["revoked"]) == ("duplicate_order", True)
    assert correction["input"] == first["input"]
    assert [one.value is None for one in world.records(world.topics.live, lost)] == [False, True]


async def test_a_place_of_an_id_that_another_stream_has_leaves_that_order_alone() -> None:
    world = DirectoryWorld()
    order_id = world.id_in(0)
    world.send(place(order_id, world.users[0]), pause(order_id), stream=0)
    await world.work()
    world.send(place(order_id, world.users[1]), stream=1)
    await world.work()
    assert world.finals()[1, 0] == "1: revoked"
    assert await world.listed() == [f"{order_id}(paused)"]
    await world.check_all()


async def test_an_id_is_free_for_another_stream_once_its_order_is_gone() -> None:
    world = DirectoryWorld()
    world.send(place("o1", world.users[0]), cancel_all(world.users[0]), stream=0)
    await world.work()
    world.send(place("o1", world.users[1]), stream=1)
    await world.work()
    assert world.finals()[1, 0] == "1: applied"
    await world.check_all()


async def test_events_in_the_wrong_partition_are_finished_in_their_users_stream_in_order() -> None:
    world = DirectoryWorld(3)
    user = world.users[2]
    paused = {**pause("o1"), "user_id": user}
    told = [place("o1", user), paused, cancel_all(user), place("o1", user)]
    world.send(*told, stream=1)
    await world.work()
    finished = [(answer["input"], answer["type"], answer["result"]) for answer in world.answers(2)]
    assert finished == [
        ({"partition": 1, "offset": offset}, event["type"], "applied")
        for offset, event in enumerate(told)
    ]
    assert {answer["result"] for answer in world.answers(1)} == {"forwarded"}
    await world.check_all()


async def test_a_place_in_the_wrong_partition_that_loses_is_corrected_by_where_it_stands() -> None:
    world = DirectoryWorld(3)
    world.send(place("o1", world.users[0]), stream=0)
    await world.work()
    world.send(pause("o9"), place("o1", world.users[2]), stream=1)
    await world.work()
    assert world.finals()[1, 1] == "2: revoked"


async def test_a_command_that_overtakes_its_place_finds_it() -> None:
    world = DirectoryWorld()
    world.send(cancel("o1"), stream=1)
    async with world.all_streams() as running:
        await running.until(lambda: world.is_at_rest() and world.parked() == 1, "the wait")
        world.send(place("o1", world.users[0]), stream=0)
        await running.until(lambda: world.is_at_rest() and world.parked() == 0, "the meeting")
    assert world.results_of(1, 0) == ["0: applied", "1: forwarded"]
    assert await world.listed() == []
    await world.check_all()


async def test_a_command_never_meets_a_place_behind_it_in_its_own_partition() -> None:
    world = DirectoryWorld()
    world.send(cancel("o1"), place("o1", world.users[0]), stream=1)
    await world.work()
    assert world.finals()[1, 0].endswith(": unknown_order")
    assert await world.listed() == ["o1"]
    await world.check_all()


async def test_what_travels_keeps_its_key_its_headers_and_its_time() -> None:
    world = DirectoryWorld()
    value = b'{"type":"cancel","order_id":"o1"}'
    headers: list[Header] = [("trace", b"x"), ("live-orders.note", b"{}")]
    world.kafka.append(world.topics.events, 1, [(b"key", value, headers)])
    async with world.all_streams() as running:
        await running.until(lambda: world.is_at_rest() and world.parked() == 1, "the wait")
        (parked,) = (
            one for shard in (0, 1) for one in world.records(world.topics.directory, shard)
        )
        assert parked.value == value
        assert list(parked.headers[:3]) == [*headers, ("live-orders.key", b"key")]
        world.clock.advance(GRACE_MS)
        await running.until(lambda: world.parked() == 0, "the answer")
    (sent,) = world.records(world.topics.events, 1)
    answer = world.said_of(1, 0)[-1][1]
    assert answer["reason"] == "unknown_order"
    assert answer["occurred_at"] == format_time(sent.timestamp * 1000)
