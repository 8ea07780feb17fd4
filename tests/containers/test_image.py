"""The image: what is in it, and how it behaves without any right that it does not need."""

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers.compose import Compose
from tests.containers.docker import ROOT, docker, state, wait_until

pytestmark = [pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(900)]

_BASE = "python:3.12-slim"
_INSTALLED = (
    "from importlib.metadata import distributions\n"
    "print(*(one.metadata['Name'].lower().replace('_', '-') for one in distributions()))"
)


def _size(image: str) -> int:
    return int(docker("image", "inspect", "--format", "{{.Size}}", image))


def _python(image: str, program: str) -> str:
    return docker("run", "--rm", "--read-only", "--entrypoint", "python", image, "-c", program)


def _locked(path: Path) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+)==", path.read_text(), re.MULTILINE))


@pytest.fixture
def processor(compose: Compose, image: str) -> Iterator[str]:
    """A container that runs a processor on topics of its own, with a read-only root."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    settings = [
        f"--network={compose.network}",
        "--env=LIVE_ORDERS_BOOTSTRAP_SERVERS=kafka:9092",
        f"--env=LIVE_ORDERS_APP_ID={name}",
        f"--env=LIVE_ORDERS_TOPIC_PREFIX={name}.",
        "--read-only",
    ]
    docker("run", "--rm", *settings, image, "topics", "create", "--streams", "1")
    docker("run", "--detach", f"--name={name}", "--health-interval=1s", *settings, image)
    try:
        wait_until(lambda: "running from offset" in docker("logs", name), "a processor that runs")
        yield name
    finally:
        docker("rm", "--force", name)


def test_its_own_layers_are_less_than_100_mb(image: str) -> None:
    assert _size(image) - _size(_BASE) < 100_000_000


def test_only_the_program_and_its_locked_dependencies_are_installed(image: str) -> None:
    installed = set(_python(image, _INSTALLED).split())
    base = set(_python(_BASE, _INSTALLED).split())
    assert installed - base - _locked(ROOT / "requirements/run.txt") == {"live-orders"}


def test_it_does_not_run_as_root(image: str) -> None:
    assert _python(image, "import os; print(os.getuid(), os.getgid())") == "10001 10001"


def test_a_processor_on_a_read_only_root_becomes_healthy(processor: str) -> None:
    wait_until(lambda: state(processor, "Health.Status") == "healthy", "health")


def test_sigterm_ends_it_cleanly_within_10_s(processor: str) -> None:
    docker("stop", "--time", "10", processor)  # then it would be killed, with 137
    assert state(processor, "ExitCode") == "0"
