"""What the runtime relies on when tasks send each other records."""

import asyncio

from processor.runtime.ports import Broker, InputReader
from tests.contract.backends import Backend
from tests.contract.reading import commit, keys, read_all, record, settle

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


async def ends_of(broker: Broker, *topics: str) -> dict[str, int]:
    """Where partition 0 of some topics ends."""
    return {topic: (await broker.bounds(topic, 0)).end for topic in topics}


async def test_a_transaction_writes_to_other_partitions_too(backend: Backend) -> None:
    broker, topic = await backend.broker(), backend.topics.claims
    writer = await broker.fence(0)
    await writer.begin()
    writer.write(topic, [record("own")])
    writer.write(topic, [record("other")], 1)
    await writer.commit(0, "")
    await writer.close()
    await settle(broker, 0)
    assert keys(await read_all(broker, topic, 0)) == ["own"]
    assert keys(await read_all(broker, topic, 1)) == ["other"]


async def test_records_of_one_partition_stay_in_the_order_they_were_written(
    backend: Backend,
) -> None:
    broker, topic = await backend.broker(), backend.topics.routed
    writer = await broker.fence(0)
    await writer.begin()
    for number in range(6):
        writer.write(topic, [record(f"k{number}")], number % 2)
    await writer.commit(0, "")
    await writer.close()
    await settle(broker, 0)
    assert keys(await read_all(broker, topic, 0)) == ["k0", "k2", "k4"]
    assert keys(await read_all(broker, topic, 1)) == ["k1", "k3", "k5"]


async def test_offsets_of_queues_are_committed_with_that_of_the_events(backend: Backend) -> None:
    broker, topics = await backend.broker(), backend.topics
    writer = await broker.fence(0)
    await writer.begin()
    await writer.commit(7, "note", {topics.claims: 3, topics.routed: 0})
    await writer.close()
    await settle(broker, 0)
    assert await broker.queue_offsets(0, topics.queues) == {topics.claims: 3, topics.routed: 0}
    committed = await broker.committed(0)
    assert committed is not None
    assert committed.offset == 7


async def test_a_queue_that_was_never_committed_has_no_offset(backend: Backend) -> None:
    broker, topics = await backend.broker(), backend.topics
    writer = await broker.fence(0)
    await writer.begin()
    await writer.commit(7, "note", {topics.claims: 3})
    await writer.close()
    await settle(broker, 0)
    assert await broker.queue_offsets(0, topics.queues) == {topics.claims: 3}
    assert await broker.queue_offsets(1, topics.queues) == {}


async def test_inputs_are_read_together_each_from_its_own_offset(backend: Backend) -> None:
    broker, topics = await backend.broker(), backend.topics
    await backend.append(topics.events, 0, [record(f"e{number}") for number in range(3)])
    await backend.append(topics.claims, 0, [record(f"c{number}") for number in range(3)])
    reader = await broker.read_inputs(0, {topics.events: 1, topics.claims: 2, topics.routed: 0})
    try:
        ends = await ends_of(broker, topics.events, topics.claims, topics.routed)
        found = await read_inputs_to(reader, ends)
    finally:
        await reader.close()
    assert found == {topics.events: ["e1", "e2"], topics.claims: ["c2"], topics.routed: []}


async def test_a_fetch_of_several_inputs_gives_no_more_than_asked_for(backend: Backend) -> None:
    broker, topics = await backend.broker(), backend.topics
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


async def test_what_was_purged_is_gone_and_the_rest_is_there(backend: Backend) -> None:
    broker, topic = await backend.broker(), backend.topics.claims
    await backend.append(topic, 0, [record(f"c{number}") for number in range(4)])
    await broker.purge(topic, 0, 3)
    assert (await broker.bounds(topic, 0)).begin == 3
    assert keys(await read_all(broker, topic, 0)) == ["c3"]


async def test_the_end_counts_what_is_not_committed_yet(backend: Backend) -> None:
    broker, topic = await backend.broker(), backend.topics.claims
    await commit(broker, 1, topic, record("done"))
    settled = await broker.end(topic, 1)
    await backend.crash_while_committing(1, topic, [record("a"), record("b")])
    stable = (await broker.bounds(topic, 1)).end
    assert await broker.end(topic, 1) == settled + 2
    assert stable == settled
