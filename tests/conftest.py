"""What tests of several folders share."""

import os

import pytest


@pytest.fixture
def bootstrap() -> str:
    """The real Kafka to test on; mark tests that use it with ``pytest.mark.kafka``."""
    servers = os.environ.get("LIVE_ORDERS_TEST_BOOTSTRAP")
    if not servers:
        pytest.skip("needs a real Kafka: set LIVE_ORDERS_TEST_BOOTSTRAP, or run scripts/test")
    return servers
