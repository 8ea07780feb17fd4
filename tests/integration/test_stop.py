"""The log of ``run`` says how it was ended."""

import signal
from pathlib import Path

import pytest

from tests.integration.conftest import NewCluster
from tests.integration.process import processor

pytestmark = pytest.mark.kafka


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_its_last_lines_say_that_it_was_told_to_stop_and_that_it_has(
    new_cluster: NewCluster, tmp_path: Path, number: signal.Signals
) -> None:
    cluster = await new_cluster(2)
    with processor(cluster.environment, tmp_path / "log") as running:
        running.wait_for("running from offset", times=2)
        running.signal(number)
        assert running.wait(10) == 0
    told, stopped = running.log.splitlines()[-2:]
    assert told.endswith(f" INFO told to stop by {number.name}")
    assert stopped.endswith(" INFO stopped; all that was begun is finished")
