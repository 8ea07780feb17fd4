"""What the Docker engine of this machine can do for a test."""

import os
from functools import cache

# What tests start they remove: no third image is needed for it, and none that sees Docker's socket.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")

from testcontainers.core.docker_client import DockerClient

KAFKA_IMAGE = "apache/kafka:4.3.1"


@cache
def why_no_engine() -> str | None:
    """Why there is no Docker engine to use; None if one answers."""
    try:
        DockerClient().client.ping()
    except Exception as error:
        return f"no Docker engine answers ({error})"
    return None


@cache
def why_no_image(name: str) -> str | None:
    """Why no container of an image can be started; None if it is there, or could be fetched."""
    if (reason := why_no_engine()) is not None:
        return reason
    images = DockerClient().client.images
    try:
        if not images.list(name):
            images.pull(name)
    except Exception as error:
        return f"the image {name} could not be had ({error})"
    return None


def is_local() -> bool:
    """Whether the engine is on this machine, so that a loopback port of it is one of ours."""
    return DockerClient().host() == "localhost"
