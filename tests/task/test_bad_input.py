"""Records that are no events: one dead letter and one answer each, and the stream goes on."""

import json

import pytest

from processor.core.sharding import stream_of
from processor.task.context import TaskSettings
from processor.wire.record import Record
from tests.task.events import pause, place
from tests.task.world import World

BAD = {
    "null": (None, "malformed"),
    "empty": (b"", "malformed"),
    "no JSON": (b"{", "malformed"),
    "not UTF-8": (b'{"type": "\xff"}', "malformed"),
    "deep": (b"[" * 50_000, "malformed"),
    "a list": (b"[]", "invalid"),
    "unknown type": (b'{"type": "buy"}', "invalid"),
    "unknown field": (json.dumps({**pause("o1"), "x": 1}).encode(), "invalid"),
    "NaN": (json.dumps(place("o9")).replace('"50000"', "NaN").encode(), "invalid"),
    "negative": (json.dumps(place("o9", amount="-1")).encode(), "invalid"),
    "unknown version": (json.dumps(place("o9", schema=2)).encode(), "invalid"),
    "too large": (json.dumps(place("o9", event_id="x" * 70_000)).encode(), "too_large"),
    "as large as can be": (b"x" * 1_040_000, "too_large"),
}


@pytest.mark.parametrize(("value", "reason"), BAD.values(), ids=BAD)
async def test_it_gets_a_dead_letter_and_an_answer(value: bytes | None, reason: str) -> None:
    world = World()
    world.send(place("o1"), value, pause("o1", "alice"))
    await world.run_task()

    assert [(one["input"]["offset"], one.get("reason")) for one in world.answers()] == [
        (0, None),
        (1, reason),
        (2, None),
    ]
    (letter,) = world.records(world.topics.dead_letters)
    headers = dict(letter.headers)
    assert headers["error.reason"] == reason.encode()
    assert headers["error.detail"]
    assert (
        headers["source.topic"],
        headers["source.partition"],
        headers["source.offset"],
    ) == (b"orders.events", b"0", b"1")
    assert (letter.value or b"") == (value or b"")[: len(letter.value or b"")]
    assert ("error.truncated" in headers) == (letter.value != value)
    assert await world.listed() == ["o1(paused)"]


async def test_key_and_headers_go_into_the_dead_letter_unchanged() -> None:
    world = World()
    given = (b"\xff\xfe", b"no", [("trace", b"\x00\xff"), ("none", None)])
    world.kafka.append(world.topics.events, 0, [given])
    await world.run_task()
    (letter,) = world.records(world.topics.dead_letters)
    assert (letter.key, letter.value, list(letter.headers[:2])) == given


async def test_a_key_that_is_not_utf8_does_not_matter() -> None:
    world = World()
    value = json.dumps(place("o1")).encode()
    world.kafka.append(world.topics.events, 0, [(b"\xff\xfe", value, [])])
    await world.run_task()
    assert await world.listed() == ["o1"]
    assert world.records(world.topics.dead_letters) == []


async def test_key_and_headers_count_against_the_limit() -> None:
    world = World(settings=TaskSettings(max_event_bytes=1_000))
    value = json.dumps(place("o1")).encode()
    key = b"k" * 1_000
    world.kafka.append(world.topics.events, 0, [(key, value, []), (None, value, [("h", key)])])
    await world.run_task()
    assert [one["reason"] for one in world.answers()] == ["too_large", "too_large"]


async def test_huge_key_and_headers_are_cut_to_what_can_be_written() -> None:
    world = World()
    given: Record = (b"k" * 300_000, b"v" * 300_000, [("h", b"x" * 400_000)])
    world.kafka.append(world.topics.events, 0, [given])
    world.send(place("o1"))
    await world.run_task()
    (letter,) = world.records(world.topics.dead_letters)
    assert dict(letter.headers)["error.truncated"] == b"true"
    assert await world.listed() == ["o1"]


async def test_a_time_out_of_range_does_not_stop_the_stream() -> None:
    world = World()
    log = world.kafka.log(world.topics.events, 0)
    value = json.dumps(place("o1")).encode()
    log.append([(None, value, [])], -1)
    log.append([(None, value.replace(b"o1", b"o2"), [])], 2**62)
    await world.run_task()
    assert [one["result"] for one in world.answers()] == ["applied", "applied"]
    assert sorted(await world.listed()) == ["o1", "o2"]


async def test_nothing_but_bad_input_is_committed_too() -> None:
    world = World()
    world.send(*(value for value, _ in BAD.values()))
    await world.run_task()
    assert world.answered() == list(range(len(BAD)))
    assert len(world.records(world.topics.dead_letters)) == len(BAD)


async def test_an_event_of_another_stream_s_user_is_passed_on_and_not_applied() -> None:
    world = World(2)
    users = [f"user{number}" for number in range(20)]
    world.send(*(place(f"o-{user}", user) for user in users))
    await world.run_task()
    results = [answer["result"] for answer in world.answers()]
    assert results == ["applied" if stream_of(user, 2) == 0 else "forwarded" for user in users]
    assert set(results) == {"applied", "forwarded"}
    assert world.records(world.topics.dead_letters) == []
    assert len(world.records(world.topics.routed, 1)) == results.count("forwarded")
    await world.check()
