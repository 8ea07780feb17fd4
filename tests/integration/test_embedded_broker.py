"""``live-orders broker``: a Kafka for development, and what it does not do."""

import signal
import socket
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.embedded import run_broker
from tests.waiting import eventually

pytestmark = pytest.mark.kafka

_TOPIC = "things"


async def _create(servers: str, **configs: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(_TOPIC, 1, 1, topic_configs=configs)])
    finally:
        await admin.close()


async def _produce(servers: str, *pairs: tuple[bytes, bytes]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        for key, value in pairs:
            await producer.send_and_wait(_TOPIC, value, key)


async def _read_all(servers: str) -> list[tuple[bytes | None, bytes | None]]:
    where = TopicPartition(_TOPIC, 0)
    found = []
    async with AIOKafkaConsumer(
        bootstrap_servers=servers, isolation_level="read_committed", auto_offset_reset="earliest"
    ) as consumer:
        end = (await consumer.end_offsets([where]))[where]
        consumer.assign([where])
        while await consumer.position(where) < end:
            found += (await consumer.getmany(timeout_ms=100)).get(where, [])
    return [(one.key, one.value) for one in found]


def _somebody_listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_port_of_its_own_choice_is_one_that_systems_do_not_hand_out(
    embedded_bootstrap: str,
) -> None:
    assert 0 < int(embedded_bootstrap.removeprefix("127.0.0.1:")) < 32_768


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_exit_code_0(embedded_bootstrap: str, number: signal.Signals) -> None:
    with run_broker("--port=0") as broker:
        assert _somebody_listens(broker.port)
        assert broker.end(number) == 0
        assert not _somebody_listens(broker.port)


async def test_it_does_not_outlive_a_command_that_was_killed(embedded_bootstrap: str) -> None:
    with run_broker("--port=0") as broker:
        broker.end(signal.SIGKILL)
        await eventually(lambda: not _somebody_listens(broker.port), what="the broker's end")


def test_a_port_that_is_taken_is_refused_with_the_remedy(embedded_bootstrap: str) -> None:
    port = embedded_bootstrap.removeprefix("127.0.0.1:")
    with run_broker(f"--port={port}") as broker:
        assert broker.last_words() == (
            2,
            f"live-orders: port {port} of 127.0.0.1 is used by another program: "
            "choose another with --port\n",
        )


async def test_what_is_in_its_data_directory_is_there_again(
    embedded_bootstrap: str, tmp_path: Path
) -> None:
    with run_broker("--port=0", f"--data-dir={tmp_path}") as broker:
        await _create(broker.servers)
        await _produce(broker.servers, (b"k", b"v"))
    with run_broker("--port=0", f"--data-dir={tmp_path}") as broker:
        assert await _read_all(broker.servers) == [(b"k", b"v")]


async def test_what_was_acknowledged_survives_a_kill(
    embedded_bootstrap: str, tmp_path: Path
) -> None:
    with run_broker("--port=0", f"--data-dir={tmp_path}") as broker:
        await _create(broker.servers)
        await _produce(broker.servers, (b"k", b"v"))
        broker.end(signal.SIGKILL)
        await eventually(lambda: not _somebody_listens(broker.port), what="the broker's end")
    with run_broker("--port=0", f"--data-dir={tmp_path}") as broker:
        assert await _read_all(broker.servers) == [(b"k", b"v")]


def test_one_that_follows_a_killed_one_says_what_may_be_missing(
    embedded_bootstrap: str, tmp_path: Path
) -> None:
    options = ("--port=0", f"--data-dir={tmp_path}")
    with run_broker(*options) as broker:
        left_by_a_kill = (tmp_path / "running").read_bytes()
        broker.end()
        assert "the last time" not in broker.last_words()[1]
    (tmp_path / "running").write_bytes(left_by_a_kill)
    with run_broker(*options) as broker:
        broker.end()
        assert f"the broker on {tmp_path} was killed the last time" in broker.last_words()[1]


def test_two_brokers_cannot_have_one_data_directory(
    embedded_bootstrap: str, tmp_path: Path
) -> None:
    options = ("--port=0", f"--data-dir={tmp_path}")
    with run_broker(*options), run_broker(*options) as second:
        code, said = second.last_words()
        assert (code, said.splitlines()) == (
            2,
            [
                f"live-orders: {tmp_path} is used by another broker: stop that one, or name "
                "another --data-dir"
            ],
        )


def test_a_data_directory_that_cannot_be_made_is_refused_with_the_remedy(
    embedded_bootstrap: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with run_broker("--port=0", f"--data-dir={tmp_path}/file/below") as broker:
        code, said = broker.last_words()
        assert (code, said.count("\n")) == (2, 1)
        assert "name another --data-dir" in said


@pytest.mark.slow
async def test_it_compacts_within_seconds() -> None:
    with run_broker("--port=0") as broker:
        await _create(broker.servers, **{"cleanup.policy": "compact", "segment.ms": "100"})
        await _produce(broker.servers, (b"k", b"old"), (b"k", b"new"))

        async def is_compacted() -> bool:
            await _produce(broker.servers, (b"other", b"x"))
            values = [value for key, value in await _read_all(broker.servers) if key == b"k"]
            return values == [b"new"]

        await eventually(is_compacted, timeout_s=60, what="compaction")
