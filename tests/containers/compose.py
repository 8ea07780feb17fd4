"""docker-compose.yml, as a project of its own."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from tests.containers.docker import docker, wait_until
from tests.free_port import free_port
from tests.integration.cluster import Cluster

_STREAMS = 8
_EVENTS_PER_S = 200


class Compose:
    """A project that meets no other one, neither by name nor by port."""

    def __init__(self, tag: str) -> None:
        self.project = f"live-orders-test-{uuid.uuid4().hex[:12]}"
        self.seconds_until_lists_moved = 0.0
        self._port = free_port()
        self._environment = {
            "COMPOSE_PROJECT_NAME": self.project,
            "TAG": tag,
            "KAFKA_PORT": str(self._port),
            "LIVE_ORDERS_MARKET_RATE": str(_EVENTS_PER_S),
        }

    @property
    def cluster(self) -> Cluster:
        """Its Kafka, as it looks from this machine."""
        return Cluster(f"127.0.0.1:{self._port}", _STREAMS, app_id="live-orders", prefix="orders.")

    @property
    def network(self) -> str:
        """Where Kafka is ``kafka:9092``."""
        return f"{self.project}_default"

    def __call__(self, *arguments: str) -> str:
        """``docker compose ARGUMENTS``."""
        return docker("compose", *arguments, environment=self._environment)

    def up(self) -> None:
        """Start what does not run."""
        self("up", "--detach", "--no-build")

    def start(self) -> None:
        """Start it; returns when the viewer has shown an order that was placed."""
        began = time.monotonic()
        self.up()
        wait_until(lambda: " placed " in self.logs("viewer"), "a list that moves", timeout_s=120)
        self.seconds_until_lists_moved = time.monotonic() - began

    def logs(self, service: str) -> str:
        """What a service has written."""
        return self("logs", "--no-log-prefix", "--no-color", service)

    def containers(self, service: str) -> list[str]:
        """The ids of a service's running containers."""
        return self("ps", "--quiet", service).split()


@contextmanager
def compose_up(tag: str) -> Iterator[Compose]:
    """The whole project, and nothing of it after the block."""
    compose = Compose(tag)
    try:
        compose.start()
        yield compose
    finally:
        compose("down", "--volumes", "--timeout", "15")
