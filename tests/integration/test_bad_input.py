"""Input that is no event: one answer and one dead letter each, and the stream goes on."""

import signal
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.util import calc_crc32c

from tests.integration.conftest import NewCluster
from tests.integration.directory_judge import judge_directory
from tests.integration.judge import judge
from tests.integration.process import processor

pytestmark = pytest.mark.kafka


def _place(order_id: str, **changed: str) -> bytes:
    fields = {
        "type": '"place"',
        "order_id": f'"{order_id}"',
        "user_id": '"u"',
        "currency": '"BTC"',
        "amount": '"1"',
        "price": '"2"',
        **changed,
    }
    return ("{" + ",".join(f'"{name}":{text}' for name, text in fields.items()) + "}").encode()


_BAD: dict[bytes | None, str] = {
    b"{not json": "malformed",
    b"\xff\xfe": "malformed",
    None: "malformed",
    b'{"type":"buy","order_id":"o"}': "invalid",
    _place("o1", colour='"red"'): "invalid",
    _place("o2", price="NaN"): "invalid",
    _place("o3", price='"NaN"'): "invalid",
    _place("o4", amount='"-1"'): "invalid",
    _place("o5", amount="-1"): "invalid",
    b'{"type":"pause","order_id":"' + b"x" * 1_000_000 + b'"}': "too_large",
}


async def test_bad_records_are_answered_kept_and_passed_by(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(1)
    async with AIOKafkaProducer(
        bootstrap_servers=cluster.servers, max_request_size=2_000_000
    ) as producer:
        for number, value in enumerate(_BAD):
            await producer.send_and_wait(cluster.topics.events, value, key=b"u", partition=0)
            good = _place(f"good-{number}")
            await producer.send_and_wait(cluster.topics.events, good, key=b"u", partition=0)
    with processor(cluster.environment, tmp_path / "log") as running:
        await cluster.drained()
        running.signal(signal.SIGTERM)
        assert running.wait() == 0
    await judge(cluster, _BAD)
    (letters,) = await cluster.read(cluster.topics.dead_letters)
    assert [letter.value for letter in letters] == list(_BAD)
    assert [dict(letter.headers)["error.reason"].decode() for letter in letters] == list(
        _BAD.values()
    )


async def test_a_key_that_is_not_utf_8_is_handled_as_any_other(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(1)
    async with AIOKafkaProducer(bootstrap_servers=cluster.servers) as producer:
        for key, value in ((b"\xff\xfe", _place("o1")), (b"\xff", b"{"), (None, _place("o2"))):
            await producer.send_and_wait(cluster.topics.events, value, key=key, partition=0)
    with processor(cluster.environment, tmp_path / "log") as running:
        await cluster.drained()
        running.signal(signal.SIGTERM)
        assert running.wait() == 0
    await judge(cluster, {b"{": "malformed"})


class _BadName(BatchBuilder):
    """A batch as a client in another language may write it: a header name that is no UTF-8."""

    def _build(self) -> bytearray:
        built: bytearray = super()._build()  # type: ignore[no-untyped-call]
        at = built.index(b"NAME")
        built[at : at + 4] = b"\xff\xfe\x00\x80"
        built[17:21] = calc_crc32c(bytes(built[21:])).to_bytes(4, "big")
        return built


@pytest.mark.parametrize("codec", [None, "gzip", "snappy", "lz4", "zstd"])
async def test_neither_a_header_name_that_is_not_utf_8_nor_compression_stops_a_stream(
    new_cluster: NewCluster, tmp_path: Path, codec: str | None
) -> None:
    cluster = await new_cluster(1)
    topic = cluster.topics.events
    async with AIOKafkaProducer(bootstrap_servers=cluster.servers) as producer:
        await producer.send_and_wait(topic, _place("before"), key=b"u", partition=0)
        batch = _BadName(10_000, 0)  # type: ignore[no-untyped-call]
        for order_id, name in (("one", "plain"), ("two", "NAME"), ("three", "plain")):
            batch.append(timestamp=None, key=b"u", value=_place(order_id), headers=[(name, b"x")])
        await (await producer.send_batch(batch, topic, partition=0))
    async with AIOKafkaProducer(
        bootstrap_servers=cluster.servers, compression_type=codec
    ) as producer:
        for order_id in ("after", "last"):
            await producer.send_and_wait(topic, _place(order_id), key=b"u", partition=0)
    with processor(cluster.environment, tmp_path / "log") as running:
        await cluster.drained()
        running.signal(signal.SIGTERM)
        assert running.wait() == 0
    (live,) = await cluster.read(cluster.topics.live)
    assert [record.key for record in live] == [
        b"before",
        b"one",
        b"two",
        b"three",
        b"after",
        b"last",
    ]


async def test_an_event_of_another_streams_user_is_finished_there(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(7)
    with processor(cluster.environment, tmp_path / "log") as running:
        running.wait_for("running from", times=7)
        await cluster.send_to((stream, _place(f"o{stream}")) for stream in range(7))
        await cluster.at_rest()
        running.signal(signal.SIGTERM)
        assert running.wait() == 0
    counts = await judge_directory(cluster)
    # One process has all streams: nothing travels.
    assert (counts["applied"], counts["forwarded"]) == (7, 0)
    for queue in cluster.topics.queues:
        assert await cluster.written(queue) == 0
