"""What tests of several folders share."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.containers.engine import KAFKA_IMAGE, why_no_image
from tests.containers.kafka import kafka_container
from tests.embedded import run_broker


def pytest_configure() -> None:
    """SIGTERM ends tests as Ctrl-C does: what they started is stopped, and containers removed."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def embedded_bootstrap() -> Iterator[str]:
    """An embedded broker for all tests together; the first need builds it."""
    with run_broker("--port=0") as broker:
        if not broker.servers:
            pytest.skip(f"needs the embedded broker, and it did not start: {broker.complaint()}")
        yield broker.servers


@pytest.fixture(scope="session")
def real_kafka() -> Iterator[str | None]:
    """The real Kafka of all tests together, if there can be one: named, or in a container."""
    if named := os.environ.get("LIVE_ORDERS_TEST_BOOTSTRAP"):
        yield named
    elif why_no_image(KAFKA_IMAGE) is None:
        with kafka_container() as kafka:
            yield kafka.servers
    else:
        yield None


@pytest.fixture
def real_bootstrap(real_kafka: str | None) -> str:
    """A real Kafka, for what the embedded broker will not do for."""
    if real_kafka is None:
        pytest.skip(
            "needs a real Kafka: a Docker engine, or one that LIVE_ORDERS_TEST_BOOTSTRAP names"
        )
    return real_kafka


@pytest.fixture
def bootstrap(request: pytest.FixtureRequest, real_kafka: str | None) -> str:
    """The Kafka to test on: the real one if there is one, else the embedded broker.

    Mark tests that use it with ``pytest.mark.kafka``.
    """
    servers: str = real_kafka or request.getfixturevalue("embedded_bootstrap")
    return servers
