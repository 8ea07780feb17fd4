"""The ``docker`` command, as a user would type it."""

import os
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
_LIMIT_S = 600
_POLL_S = 0.2


def docker(*arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """What it prints, both streams together.

    Raises:
        AssertionError: it failed.
    """
    done = subprocess.run(
        ["docker", *arguments],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, f"docker {' '.join(arguments)}:\n{done.stdout}"
    return done.stdout.strip()


def state(container: str, field: str) -> str:
    """A field of a container's state."""
    return docker("inspect", "--format", f"{{{{.State.{field}}}}}", container)


def wait_until(holds: Callable[[], bool], what: str, *, timeout_s: float = 60) -> None:
    """Wait for a condition, within a bound."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"{what}: not within {timeout_s} s"
        time.sleep(_POLL_S)


@contextmanager
def built_image() -> Iterator[str]:
    """The project's image under a tag of its own, without it afterwards; the tag."""
    tag = f"test-{uuid.uuid4().hex[:12]}"
    docker("build", "--tag", f"live-orders:{tag}", ".")
    try:
        yield tag
    finally:
        docker("rmi", f"live-orders:{tag}")
