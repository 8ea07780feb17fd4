"""A Kafka of a test's own, for tests that hurt it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from tests.containers.engine import KAFKA_IMAGE, why_no_image
from tests.containers.kafka import kafka_container
from tests.free_port import free_port

_SCRIPT = Path(__file__).resolve().parent.parent.parent / "scripts" / "kafka"
_LIMIT_S = 120


class OwnKafka(Protocol):
    """A broker that a test may hurt."""

    @property
    def servers(self) -> str:
        """Its address, which stays."""

    def start(self) -> None:
        """Start it, on the data it had; returns when it answers."""

    def kill(self) -> None:
        """kill -9."""

    def stop(self) -> None:
        """Stop it in an orderly way."""


class ScriptKafka:
    """A broker in a process of its own, through ``scripts/kafka``."""

    def __init__(self, port: int) -> None:
        self.servers = f"127.0.0.1:{port}"
        self._port = port

    def start(self) -> None:
        """Part of `OwnKafka`."""
        self._do("start")

    def kill(self) -> None:
        """Part of `OwnKafka`."""
        self._do("kill")

    def stop(self) -> None:
        """Part of `OwnKafka`."""
        self._do("stop")

    def wipe(self) -> None:
        """Stop it and delete its data."""
        self._do("wipe")

    def _do(self, what: str) -> None:
        subprocess.run(
            [str(_SCRIPT), what, str(self._port)], check=True, timeout=_LIMIT_S, capture_output=True
        )


@contextmanager
def own_kafka() -> Iterator[OwnKafka]:
    """A fresh broker that is gone after the block: in a container if there can be one."""
    port = free_port()
    if why_no_image(KAFKA_IMAGE) is None:
        with kafka_container(port) as container:
            yield container
        return
    kafka = ScriptKafka(port)
    kafka.start()
    try:
        yield kafka
    finally:
        kafka.wipe()
