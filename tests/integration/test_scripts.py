"""What ``scripts/test`` says when it has to do without a real Kafka."""

import os
import subprocess

import pytest

from tests.integration.process import ROOT

# Neither Docker nor Java, as where none is installed.
_NOTHING = {
    "DOCKER_HOST": "unix:///nowhere",
    "JAVA_HOME": "/nowhere",
    "LIVE_ORDERS_TEST_BOOTSTRAP": "",
    "LIVE_ORDERS_REQUIRE_DOCKER": "0",
}


def _started(**environment: str) -> subprocess.CompletedProcess[str]:
    """``scripts/test`` up to pytest, which only says its version."""
    return subprocess.run(
        [ROOT / "scripts" / "test", "--version"],
        env={**os.environ, **_NOTHING, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.kafka
def test_without_docker_and_java_it_says_what_it_takes_instead(embedded_bootstrap: str) -> None:
    run = _started(LIVE_ORDERS_REQUIRE_KAFKA="0")
    assert run.returncode == 0
    lines = [line for line in run.stdout.splitlines() if line.startswith("kafka: ")]
    assert lines[0].startswith("kafka: not in a container, as no Docker engine answers")
    assert lines[1] == (
        "kafka: not by scripts/kafka, as Java 17 or newer is needed and /nowhere/bin/java "
        "does not run"
    )
    assert lines[2].startswith("kafka: the embedded broker")
    assert "scripts/kafka: " not in run.stderr


def test_where_a_real_kafka_is_required_it_fails_for_want_of_one() -> None:
    run = _started(LIVE_ORDERS_REQUIRE_KAFKA="1")
    assert run.returncode == 1
    assert run.stderr.startswith("scripts/test: LIVE_ORDERS_REQUIRE_KAFKA is set and there is no")
