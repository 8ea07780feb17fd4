"""The image and the composed project, once for all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.containers.compose import Compose, compose_up
from tests.containers.docker import built_image, docker
from tests.containers.engine import KAFKA_IMAGE, why_no_image


@pytest.fixture(scope="session")
def engine() -> None:
    """Docker with its command and compose."""
    if (reason := why_no_image(KAFKA_IMAGE)) is not None:
        pytest.skip(f"needs Docker: {reason}")
    try:
        docker("compose", "version")
    except (AssertionError, FileNotFoundError):
        pytest.skip("needs Docker: there is no command `docker compose`")


@pytest.fixture(scope="session")
def tag(engine: None) -> Iterator[str]:
    """The tag of the image, built from this checkout."""
    with built_image() as name:
        yield name


@pytest.fixture(scope="session")
def image(tag: str) -> str:
    """The image."""
    return f"live-orders:{tag}"


@pytest.fixture(scope="session")
def compose(tag: str) -> Iterator[Compose]:
    """All of docker-compose.yml, running, with lists that move."""
    with compose_up(tag) as running:
        yield running
