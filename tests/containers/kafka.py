"""A real Kafka in a container: the image of docker-compose.yml, and one broker."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, cast

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from tests.containers.engine import KAFKA_IMAGE, is_local

INTERNAL_PARTITIONS = 4
_PORT = 9092
_START_SCRIPT = "/tmp/start.sh"
_DATA_DIR = "/tmp/kafka-data"
_READY_WITHIN_S = 90
# A broker that is started again after a kill waits for the end of its old session. Any other must
# not lose it, and with it the leaders of all topics, because the machine is busy for a while.
_SESSION_IF_STARTED_AGAIN_MS = 6_000
_SESSION_MS = 60_000
# Small timeouts and few internal partitions, as with scripts/kafka.
_SETTINGS = {
    "KAFKA_NODE_ID": "1",
    "KAFKA_PROCESS_ROLES": "broker,controller",
    "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9094",
    "KAFKA_LISTENERS": f"HOST://:{_PORT},BROKER://localhost:9093,CONTROLLER://localhost:9094",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": (
        "HOST:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT"
    ),
    "KAFKA_INTER_BROKER_LISTENER_NAME": "BROKER",
    "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
    "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": str(INTERNAL_PARTITIONS),
    "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS": str(INTERNAL_PARTITIONS),
    "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
    "KAFKA_TRANSACTION_ABORT_TIMED_OUT_TRANSACTION_CLEANUP_INTERVAL_MS": "1000",
    "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
    "KAFKA_BROKER_HEARTBEAT_INTERVAL_MS": "500",
    "KAFKA_LOG_DIRS": _DATA_DIR,
    "KAFKA_LOG_CLEANER_BACKOFF_MS": "1000",
    "KAFKA_LOG_CLEANER_DEDUPE_BUFFER_SIZE": "16777216",
    "KAFKA_HEAP_OPTS": "-Xmx1g",
}


class KafkaContainer:
    """One broker, with what it keeps until it is closed.

    Clients must be told an address that is known only once the container runs: so it waits for a
    script that has it.
    """

    def __init__(
        self,
        port: int | None = None,
        *,
        alias: str = "localhost",
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """A container that is not started yet.

        Args:
            port: the port on the host; without one any, and then it cannot be started again, and
                keeps its data in memory, where no slow disk holds it up.
            alias: what other brokers call it.
            settings: more of them, or others.
        """
        self._alias = alias
        wait = f"until [ -e {_START_SCRIPT} ]; do sleep 0.1; done; exec bash {_START_SCRIPT}"
        self._is_there = False
        self._container = DockerContainer(KAFKA_IMAGE).with_envs(**{**_SETTINGS, **settings})
        self._container.with_command(["bash", "-c", wait])
        # An engine on this machine opens the port for this machine only.
        host_port = ("127.0.0.1", port) if is_local() else port
        self._container.ports[str(_PORT)] = cast("int | None", host_port)
        session_ms = _SESSION_IF_STARTED_AGAIN_MS
        if port is None:
            session_ms = _SESSION_MS
            self._container.with_tmpfs_mount(_DATA_DIR)
        self._container.with_env("KAFKA_BROKER_SESSION_TIMEOUT_MS", str(session_ms))

    @property
    def servers(self) -> str:
        """Its address."""
        host = "127.0.0.1" if is_local() else self._container.get_container_host_ip()
        return f"{host}:{self._container.get_exposed_port(_PORT)}"

    def join(self, network: Network) -> None:
        """Be on a network; comes before the start."""
        self._container.with_network(network).with_network_aliases(self._alias)

    def start(self) -> None:
        """Start it, on the data it had; returns when it answers a client."""
        if self._is_there:
            self._wrapped.start()
        else:
            self._start_new()
        self._wait_until_ready()

    def kill(self) -> None:
        """kill -9."""
        self._wrapped.kill()
        self._wrapped.wait()

    def stop(self) -> None:
        """Stop it in an orderly way."""
        self._wrapped.stop(timeout=30)

    def close(self) -> None:
        """Remove it with its data."""
        self._container.stop()

    @property
    def _wrapped(self) -> Any:
        return self._container.get_wrapped_container()

    def _start_new(self) -> None:
        self._container.start()
        self._is_there = True
        script = (
            f"export KAFKA_ADVERTISED_LISTENERS=HOST://{self.servers},BROKER://{self._alias}:9093\n"
        )
        script += "exec /etc/kafka/docker/run\n"
        self._container.copy_into_container(script.encode(), _START_SCRIPT)

    def _wait_until_ready(self) -> None:
        """Ready is a broker that a client finds in the cluster."""
        client = AdminClient({"bootstrap.servers": self.servers, "log_level": 0})
        deadline = time.monotonic() + _READY_WITHIN_S
        while not _has_broker(client):
            self._wrapped.reload()
            assert self._wrapped.status == "running", self._wrapped.logs(tail=20).decode()
            assert time.monotonic() < deadline, f"no Kafka at {self.servers}"


def _has_broker(client: AdminClient) -> bool:
    try:
        return bool(client.list_topics(timeout=1).brokers)
    except KafkaException:
        return False


@contextmanager
def kafka_container(port: int | None = None) -> Iterator[KafkaContainer]:
    """One that is started, and gone after the block."""
    kafka = KafkaContainer(port)
    try:
        kafka.start()
        yield kafka
    finally:
        kafka.close()
