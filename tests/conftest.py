"""What tests of several folders share."""

import os
from collections.abc import Iterator

import pytest

from tests.embedded import run_broker


@pytest.fixture(scope="session")
def embedded_bootstrap() -> Iterator[str]:
    """An embedded broker for all tests together; the first need builds it."""
    with run_broker("--port=0") as broker:
        if not broker.servers:
            pytest.skip(f"needs the embedded broker, and it did not start: {broker.complaint()}")
        yield broker.servers


@pytest.fixture
def real_bootstrap() -> str:
    """A real Kafka, for what the embedded broker will not do for."""
    servers = os.environ.get("LIVE_ORDERS_TEST_BOOTSTRAP")
    if not servers:
        pytest.skip("needs a real Kafka, which LIVE_ORDERS_TEST_BOOTSTRAP can name")
    return servers


@pytest.fixture
def bootstrap(request: pytest.FixtureRequest) -> str:
    """The Kafka to test on: the real one if there is one, else the embedded broker.

    Mark tests that use it with ``pytest.mark.kafka``.
    """
    named = os.environ.get("LIVE_ORDERS_TEST_BOOTSTRAP")
    servers: str = named or request.getfixturevalue("embedded_bootstrap")
    return servers
