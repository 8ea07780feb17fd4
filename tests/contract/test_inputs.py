"""What tasks rely on when they read their inputs, and delete what they have read of them."""

import asyncio

import pytest

from processor.errors import OffsetGone
from processor.task.ports import InputReader, Offsets, Partition
from tests.contract.backends import Backend
from tests.contract.reading import keys, read_all, record
from tests.contract.writing import commit, held, owned

_LIMIT_S = 15


async def read_inputs_to(reader: InputReader, ends: dict[str, int]) -> dict[str, list[str]]:
    """The keys of all records until every position is at its end, by topic."""
    found: dict[str, list[str]] = {topic: [] for topic in ends}
    async with asyncio.timeout(_LIMIT_S):
        while any(reader.position(topic) < end for topic, end in ends.items()):
            fetched = await reader.fetch(max_records=100, timeout_ms=200)
            for topic, records in fetched.items():
                found[topic] += keys(records)
    return found


async def test_inputs_are_read_together_each_from_its_own_offset(backend: Backend) -> None:
    broker, topics = (await backend.process()).broker, backend.topics
    await backend.append(topics.events, 0, [record(f"e{number}") for number in range(3)])
    await backend.append(topics.claims, 0, [record(f"c{number}") for number in range(3)])
    await backend.append(topics.claims, 1, [record("of another stream")])
    reader = await broker.read_inputs(0, {topics.events: 1, topics.claims: 2, topics.routed: 0})
    try:
        found = await read_inputs_to(reader, {topics.events: 3, topics.claims: 3, topics.routed: 0})
    finally:
        await reader.close()
    assert found == {topics.events: ["e1", "e2"], topics.claims: ["c2"], topics.routed: []}


async def test_a_fetch_of_several_inputs_gives_no_more_than_asked_for(backend: Backend) -> None:
    broker, topics = (await backend.process()).broker, backend.topics
    for topic in (topics.events, topics.claims):
        await backend.append(topic, 0, [record(f"{number}") for number in range(5)])
    reader = await broker.read_inputs(0, {topics.events: 0, topics.claims: 0})
    sizes: list[int] = []
    try:
        async with asyncio.timeout(_LIMIT_S):
            while sum(sizes) < 10:
                fetched = await reader.fetch(max_records=3, timeout_ms=200)
                sizes.append(sum(map(len, fetched.values())))
    finally:
        await reader.close()
    assert max(sizes) <= 3


async def test_inputs_are_read_up_to_an_open_transaction_and_on_once_it_has_ended(
    backend: Backend,
) -> None:
    process, topics = await backend.process(), backend.topics
    where = Partition(topics.claims, 0)
    transactions = await owned(process)
    await commit(transactions, {where: [record("one")]})
    await read_all(process.broker, where)
    reader = await process.broker.read_inputs(0, {topics.events: 0, topics.claims: 0})
    try:
        async with held(process, transactions, {where: [record("two")]}) as held_commit:
            await backend.append(topics.claims, 0, [record("three")])
            await backend.append(topics.events, 0, [record("event")])
            found = await read_inputs_to(reader, {topics.events: 1, topics.claims: 2})
            assert found == {topics.events: ["event"], topics.claims: ["one"]}
            assert await reader.fetch(max_records=10, timeout_ms=200) == {}
            assert (reader.position(topics.claims), reader.lag(topics.claims)) == (2, 0)
            await held_commit.go_on()
        found = await read_inputs_to(reader, {topics.events: 1, topics.claims: 5})
        assert found == {topics.events: [], topics.claims: ["two", "three"]}
        assert reader.lag(topics.claims) == 0
    finally:
        await reader.close()


async def test_lag_is_what_is_left_to_read_of_each_input(backend: Backend) -> None:
    broker, topics = (await backend.process()).broker, backend.topics
    await backend.append(topics.events, 0, [record(f"{number}") for number in range(10)])
    reader = await broker.read_inputs(0, {topics.events: 0, topics.claims: 0})
    try:
        async with asyncio.timeout(_LIMIT_S):
            while (position := reader.position(topics.events)) < 4:
                await reader.fetch(max_records=4 - position, timeout_ms=200)
        assert (reader.lag(topics.events), reader.lag(topics.claims)) == (6, 0)
    finally:
        await reader.close()


@pytest.mark.parametrize("offset", [3, 11], ids=["removed", "past the end"])
async def test_an_input_whose_offset_is_not_there_is_said_to_be_gone(
    backend: Backend, offset: int
) -> None:
    broker, topics = (await backend.process()).broker, backend.topics
    await backend.append(topics.claims, 0, [record(f"{number}") for number in range(10)])
    await backend.delete_before(topics.claims, 0, 4)
    reader = await broker.read_inputs(0, {topics.events: 0, topics.claims: offset})
    with pytest.raises(OffsetGone):
        await read_inputs_to(reader, {topics.claims: offset + 1})
    await reader.close()


async def test_what_was_purged_is_gone_and_the_rest_is_there(backend: Backend) -> None:
    broker, topic = (await backend.process()).broker, backend.topics.claims
    where, other = Partition(topic, 0), Partition(topic, 1)
    for one in (where, other):
        await backend.append(*one, [record(f"c{number}") for number in range(4)])
    await broker.purge(*where, 3)
    assert await broker.offsets([where, other]) == {
        where: Offsets(3, 4, 4),
        other: Offsets(0, 4, 4),
    }
    assert keys(await read_all(broker, where)) == ["c3"]


async def test_purging_twice_and_up_to_the_end_is_harmless(backend: Backend) -> None:
    broker, where = (await backend.process()).broker, Partition(backend.topics.claims, 0)
    await backend.append(*where, [record(f"c{number}") for number in range(4)])
    for offset in (3, 3, 4, 4):
        await broker.purge(*where, offset)
    assert (await broker.offsets([where]))[where] == Offsets(4, 4, 4)
    await backend.append(*where, [record("c4")])
    assert keys(await read_all(broker, where)) == ["c4"]
