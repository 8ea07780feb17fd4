"""Readers over the shared session, with a client in memory."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
from aiokafka.errors import (
    CorruptRecordException,
    KafkaConnectionError,
    KafkaError,
    OffsetOutOfRangeError,
    RequestTimedOutError,
)

from processor.kafka.cluster_view import ClusterView, Leader
from processor.kafka.cluster_watch import ClusterWatch
from processor.kafka.fetch_driver import Fetcher
from processor.kafka.fetch_errors import TopicGone
from processor.kafka.fetch_reader import FetchReader
from processor.kafka.fetching.limits import FetchLimits
from tests.unit.kafka.fake_client import FakeClient
from tests.unit.kafka.log_bytes import batch, record

LONG_MS = 60_000
QUICK = FetchLimits(backoff_ms=1, max_backoff_ms=1, gone_ms=5, silence_ms=LONG_MS)


@asynccontextmanager
async def fetcher(
    client: FakeClient, limits: FetchLimits = QUICK, **options: object
) -> AsyncIterator[Fetcher]:
    """A fetcher whose view is kept up to date."""
    view = ClusterView()
    watch = ClusterWatch(client, view, ())  # type: ignore[arg-type]
    async with watch.running():
        opened = Fetcher(client, view, watch, limits=limits, **options)  # type: ignore[arg-type]
        yield opened
        await opened.close()


async def offsets(reader: FetchReader, count: int, max_records: int = 100) -> list[int]:
    """The offsets of the next records, of all topics."""
    found: list[int] = []
    while len(found) < count:
        fetched = await reader.fetch(max_records=max_records, timeout_ms=LONG_MS)
        found += [one.offset for records in fetched.values() for one in records]
    return found


async def test_a_reader_gets_what_is_there_and_what_comes() -> None:
    client = FakeClient("a")
    client.write("a", 0, 3)
    async with fetcher(client) as opened:
        reader = opened.open(0, {"a": 1})
        assert await offsets(reader, 2) == [1, 2]
        reading = asyncio.create_task(offsets(reader, 1))
        await asyncio.sleep(0)
        client.write("a", 0, 1)
        assert await reading == [3]
        assert (reader.position("a"), reader.lag("a")) == (4, 0)


async def test_records_have_all_their_fields() -> None:
    client = FakeClient("a")
    client.write("a", 0, 1)
    async with fetcher(client) as opened:
        fetched = await opened.open(0, {"a": 0}).fetch(max_records=1, timeout_ms=LONG_MS)
        (found,) = fetched["a"]
        assert (found.offset, found.timestamp, found.key, found.value) == (0, 1_000, None, b"0")
        assert list(found.headers) == []


async def test_a_fetch_that_finds_nothing_is_empty_after_its_time() -> None:
    client = FakeClient("a")
    async with fetcher(client) as opened:
        reader = opened.open(0, {"a": 0})
        assert await reader.fetch(max_records=1, timeout_ms=0) == {}
        assert await reader.fetch(max_records=1, timeout_ms=1) == {}
        assert (reader.position("a"), reader.lag("a")) == (0, 0)


async def test_what_is_buffered_needs_no_time() -> None:
    client = FakeClient("a")
    client.write("a", 0, 5)
    async with fetcher(client) as opened:
        reader = opened.open(0, {"a": 0})
        await offsets(reader, 1, max_records=1)
        fetched = await reader.fetch(max_records=9, timeout_ms=0)
        assert [one.offset for one in fetched["a"]] == [1, 2, 3, 4]


async def test_the_position_follows_what_is_handed_out() -> None:
    client = FakeClient("a")
    client.write("a", 0, 2)
    client.write("a", 0, 3)
    async with fetcher(client) as opened:
        reader = opened.open(0, {"a": 0})
        for expected in (1, 2, 3, 4, 5):
            await offsets(reader, 1, max_records=1)
            assert (reader.position("a"), reader.lag("a")) == (expected, 5 - expected)


async def test_a_fetch_ends_when_the_position_passes_an_aborted_transaction() -> None:
    client = FakeClient("a")
    async with fetcher(client) as opened:
        reader = opened.open(0, {"a": 0})
        reading = asyncio.create_task(reader.fetch(max_records=9, timeout_ms=LONG_MS))
        await asyncio.sleep(0)
        client.write("a", 0, 2, producer=7)
        client.end("a", 0, 7, commit=False)
        assert await reading == {}
        assert (reader.position("a"), reader.lag("a")) == (3, 0)


async def test_a_cancelled_fetch_loses_nothing() -> None:
    client = FakeClient("a")
    async with fetcher(client) as opened:
        reader = opened.open(0, {"a": 0})
        for turns in range(12):
            reading = asyncio.create_task(reader.fetch(max_records=1, timeout_ms=LONG_MS))
            client.write("a", 0, 1)
            for _ in range(turns):
                await asyncio.sleep(0)
            before = reader.position("a")
            reading.cancel()
            await asyncio.wait([reading])
            if reading.cancelled():
                assert reader.position("a") == before
            else:
                assert [one.offset for one in reading.result()["a"]] == [reader.position("a") - 1]
        left = await offsets(reader, 12 - reader.position("a"))
        assert left == list(range(12 - len(left), 12))


async def test_a_limit_is_for_all_topics_together_and_they_take_turns() -> None:
    client = FakeClient("a", "b")
    client.write("a", 0, 9)
    client.write("b", 0, 9)
    async with fetcher(client) as opened:
        reader = opened.open(0, {"a": 0, "b": 0})
        found = []
        while reader.position("a") + reader.position("b") < 18:
            fetched = await reader.fetch(max_records=2, timeout_ms=LONG_MS)
            assert sum(map(len, fetched.values())) <= 2
            found += list(fetched)
    assert {found[0], found[1]} == {found[2], found[3]} == {"a", "b"}


async def test_a_batch_with_a_name_that_is_no_utf8_is_read_all_the_same() -> None:
    client = FakeClient("a")
    records = [
        record(0, None, b"1"),
        record(1, None, b"2", [(b"\xff", b"h")]),
        record(2, None, None),
    ]
    client.logs["a", 0].raw(batch(0, records), 3)
    client.write("a", 0, 1)
    async with fetcher(client) as opened:
        reader = opened.open(0, {"a": 0})
        fetched = await reader.fetch(max_records=9, timeout_ms=LONG_MS)
        assert [(one.offset, list(one.headers)) for one in fetched["a"][:3]] == [
            (0, []),
            (1, [("\\xff", b"h")]),
            (2, []),
        ]
        assert reader.position("a") == 4


async def test_what_comes_before_a_broken_record_is_handed_out_and_then_it_raises() -> None:
    client = FakeClient("a")
    client.write("a", 0, 2)
    client.logs["a", 0].raw(batch(2, [record(0, None, b"3"), b"\x10junk"]), 2)
    async with fetcher(client) as opened:
        reader = opened.open(0, {"a": 0})
        assert await offsets(reader, 2) == [0, 1]
        for _ in range(3):
            with pytest.raises(CorruptRecordException):
                await reader.fetch(max_records=9, timeout_ms=LONG_MS)
            assert reader.position("a") == 2


async def test_what_another_topic_has_is_handed_out_before_a_broken_record_raises() -> None:
    client = FakeClient("a", "b")
    client.write("a", 0, 1)
    client.logs["b", 0].raw(batch(0, [b"\x10junk"]), 1)
    async with fetcher(client) as opened:
        reader = opened.open(0, {"a": 0, "b": 0})
        assert await offsets(reader, 1) == [0]
        with pytest.raises(CorruptRecordException):
            await reader.fetch(max_records=9, timeout_ms=LONG_MS)


async def test_an_offset_that_is_not_there_is_told() -> None:
    client = FakeClient("a")
    async with fetcher(client) as opened:
        reader = opened.open(0, {"a": 5})
        with pytest.raises(OffsetOutOfRangeError, match="a/0 at offset 5"):
            await reader.fetch(max_records=9, timeout_ms=LONG_MS)


async def test_errors_are_translated_with_what_was_being_done() -> None:
    class Translated(Exception):
        pass

    @contextmanager
    def translate(doing: str) -> Iterator[None]:
        try:
            yield
        except KafkaError as error:
            raise Translated(doing) from error

    client = FakeClient("a", "b")
    async with fetcher(client, translate=translate) as opened:
        reader = opened.open(1, {"a": 5, "b": 0})
        with pytest.raises(Translated, match=r"^reading a/1, b/1$"):
            await reader.fetch(max_records=9, timeout_ms=LONG_MS)


async def test_a_topic_that_was_made_anew_is_told_with_both_ids() -> None:
    client = FakeClient("a")
    async with fetcher(client) as opened:
        old = client.ids["a"]
        reader = opened.open(0, {"a": 0})
        await reader.fetch(max_records=9, timeout_ms=1)
        client.ids["a"] = b"new".ljust(16)
        client.faults.append(100)
        client.happen()
        with pytest.raises(TopicGone) as told:
            await reader.fetch(max_records=9, timeout_ms=LONG_MS)
    assert (told.value.topic, told.value.old_id, told.value.new_id) == ("a", old, client.ids["a"])


async def test_a_topic_must_have_the_id_that_is_asked_for() -> None:
    client = FakeClient("a")
    async with fetcher(client) as opened:
        reader = opened.open(0, {"a": 0}, {"a": b"old".ljust(16)})
        with pytest.raises(TopicGone):
            await reader.fetch(max_records=9, timeout_ms=LONG_MS)


@pytest.mark.parametrize("fault", [KafkaConnectionError(), OSError(), RuntimeError(), 6])
async def test_a_request_that_fails_is_sent_again(fault: Exception | int) -> None:
    client = FakeClient("a")
    client.faults.append(fault)
    client.write("a", 0, 1)
    async with fetcher(client) as opened:
        assert await offsets(opened.open(0, {"a": 0}), 1) == [0]


async def test_a_broker_that_does_not_answer_for_too_long_is_told() -> None:
    client = FakeClient("a")
    client.down.add(1)
    limits = FetchLimits(backoff_ms=1, max_backoff_ms=1, silence_ms=10)
    async with fetcher(client, limits) as opened:
        reader = opened.open(0, {"a": 0})
        with pytest.raises(RequestTimedOutError, match="a/0 at offset 0"):
            await reader.fetch(max_records=9, timeout_ms=LONG_MS)


async def test_a_leader_that_moves_is_followed() -> None:
    client = FakeClient("a", nodes=(1, 2))
    client.write("a", 0, 1)
    async with fetcher(client) as opened:
        reader = opened.open(0, {"a": 0})
        await offsets(reader, 1)
        client.leaders["a", 0] = Leader(2, 6)
        client.write("a", 0, 1)
        assert await offsets(reader, 1) == [1]
    assert client.fetches()[-1].node == 2


async def test_two_lanes_have_connections_of_their_own() -> None:
    client = FakeClient("a")
    async with fetcher(client) as opened:
        await opened.open(0, {"a": 0}).fetch(max_records=9, timeout_ms=1)
        await opened.open(1, {"a": 0}).fetch(max_records=9, timeout_ms=1)
    groups = [group for _node, request, group in client.sent if hasattr(request, "request")]
    assert groups[:2] == [10, 11]
    assert {group for _node, request, group in client.sent if not hasattr(request, "request")} == {
        0
    }


async def test_readers_that_are_opened_together_go_in_one_request() -> None:
    client = FakeClient("a", partitions=8)
    async with fetcher(client) as opened:
        readers = [opened.open(n, {"a": 0}) for n in range(8)]
        await readers[0].fetch(max_records=9, timeout_ms=1)
    assert [len(one.partitions) for one in client.fetches()] == [8]


async def test_a_full_buffer_that_was_drained_is_asked_at_once() -> None:
    client = FakeClient("a")
    for _ in range(4):
        client.write("a", 0, 1)
    limits = FetchLimits(partition_bytes=100, least_bytes=1)
    async with fetcher(client, limits) as opened:
        assert await offsets(opened.open(0, {"a": 0}), 4) == [0, 1, 2, 3]
    assert [one.partitions[0].max_bytes for one in client.fetches()[:4]] == [100] * 4


async def test_room_that_was_made_is_used_in_the_next_turns_of_the_loop() -> None:
    client = FakeClient("a")
    for _ in range(2):
        client.write("a", 0, 1)
    async with fetcher(client, FetchLimits(partition_bytes=100, least_bytes=1)) as opened:
        await offsets(opened.open(0, {"a": 0}), 1)
        for _ in range(3):
            await asyncio.sleep(0)
        assert len(client.fetches()) == 2


async def test_a_closed_reader_is_asked_for_no_more() -> None:
    client = FakeClient("a")
    client.write("a", 0, 1)
    async with fetcher(client) as opened:
        reader = opened.open(0, {"a": 0})
        other = opened.open(1, {"a": 0})
        await offsets(reader, 1)
        await reader.close()
        await reader.close()
        client.write("a", 0, 1)
        client.write("a", 1, 1)
        await offsets(other, 1)
        await other.fetch(max_records=9, timeout_ms=1)
    assert [one.partition for one in client.fetches()[-1].partitions] == [1]


async def test_closing_ends_all_requests_and_leaves_no_task() -> None:
    client = FakeClient("a")
    async with fetcher(client) as opened:
        await opened.open(0, {"a": 0}).fetch(max_records=9, timeout_ms=1)
        await opened.close()
        sent = len(client.fetches())
        client.write("a", 0, 1)
        opened.open(1, {"a": 0})
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(client.fetches()) == sent
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_many_readers_get_each_their_own() -> None:
    client = FakeClient("a", partitions=20)
    async with fetcher(client) as opened:
        readers = [opened.open(n, {"a": 0}) for n in range(20)]
        reading = [asyncio.create_task(offsets(one, n + 1)) for n, one in enumerate(readers)]
        for n in range(20):
            client.write("a", n, n + 1)
        assert [await one for one in reading] == [list(range(n + 1)) for n in range(20)]
