"""``produce``: what is sent, what is left out, and how fast."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from processor.core.sharding import stream_of
from tests.integration.cluster import Cluster
from tests.integration.conftest import NewCluster
from tests.integration.process import COMMAND, ROOT, command, started
from tests.integration.terminal import CTRL_C, terminal

pytestmark = pytest.mark.kafka

_PLACE = (
    '{"type":"place","order_id":"%s","user_id":"%s","currency":"BTC","amount":"1","price":"2"}\n'
)


def places(count: int) -> str:
    return "".join(_PLACE % (f"o{number}", f"user-{number % 7}") for number in range(count))


async def sent(cluster: Cluster) -> list[list[bytes]]:
    """The values there are, partition by partition."""
    read = await cluster.read(cluster.topics.events)
    return [[record.value or b"" for record in part] for part in read]


async def test_each_event_is_in_its_users_partition_in_the_order_of_the_lines(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(3)
    file = tmp_path / "events.jsonl"
    file.write_text(places(5_000))
    done = command(cluster.environment, "produce", str(file))
    assert (done.returncode, done.stderr) == (0, "5,000 events sent\n")
    expected: list[list[bytes]] = [[], [], []]
    for number, line in enumerate(places(5_000).encode().splitlines()):
        expected[stream_of(f"user-{number % 7}", 3)].append(line)
    assert await sent(cluster) == expected


async def test_lines_that_are_no_events_are_named_and_left_out(new_cluster: NewCluster) -> None:
    cluster = await new_cluster(1)
    bad = '{"type":"place","\\u001b[31m":1}\n'
    lines = f"{places(1)}nonsense\n\n{bad}{places(1)}"
    done = command(cluster.environment, "produce", "--skip-invalid", "-", stdin=lines)
    assert done.returncode == 0
    first, second, summary = done.stderr.splitlines()
    assert first.startswith("line 2: ")
    assert second.startswith("line 4: ")
    assert "\x1b" not in done.stderr
    assert summary == "2 events sent, 2 lines skipped"
    assert await sent(cluster) == [places(1).encode().splitlines() * 2]


async def test_an_event_over_the_limit_is_refused_before_it_is_sent(
    new_cluster: NewCluster,
) -> None:
    cluster = await new_cluster(1)
    large = (_PLACE % ("o1", "u")).replace("}", ' "event_id":"' + "x" * 70_000 + '"}')
    refused = command(cluster.environment, "produce", stdin=large)
    assert refused.returncode == 2
    assert "line 1: " in refused.stderr
    assert "more than the 65536 allowed" in refused.stderr


async def test_a_rate_is_kept(new_cluster: NewCluster) -> None:
    cluster = await new_cluster(1)
    began = time.monotonic()
    done = command(cluster.environment, "produce", "--rate", "10", stdin=places(21))
    assert done.stderr == "21 events sent\n"
    assert time.monotonic() - began >= 2


async def test_what_comes_slowly_through_a_pipe_is_sent_at_once(new_cluster: NewCluster) -> None:
    cluster = await new_cluster(1)
    with subprocess.Popen(
        [*COMMAND, "produce"],
        cwd=ROOT,
        env={**os.environ, **cluster.environment},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as producing:
        assert producing.stdin is not None
        producing.stdin.write(places(1).encode())
        producing.stdin.flush()
        while not (await sent(cluster))[0]:
            assert producing.poll() is None
        producing.stdin.close()
        assert producing.wait(60) == 0


async def test_ctrl_c_says_up_to_which_line_all_is_sent(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(2)
    file = tmp_path / "events.jsonl"
    file.write_text(places(1_000))
    with terminal(cluster.environment, "produce", "--rate", "50", str(file)) as producing:
        producing.wait_for("events/s")
        producing.type(CTRL_C)
        assert producing.wait() == 130
    count = sum(map(len, await sent(cluster)))
    assert f"interrupted after line {count}; {count} event" in producing.shown
    assert "Traceback" not in producing.shown


async def test_sigterm_ends_it_as_ctrl_c_does(new_cluster: NewCluster, tmp_path: Path) -> None:
    cluster = await new_cluster(1)
    file = tmp_path / "events.jsonl"
    file.write_text(places(1_000))
    arguments = ("produce", "--rate", "20", str(file))
    with started(cluster.environment, tmp_path / "log", *arguments) as producing:
        while not (await sent(cluster))[0]:
            assert producing.alive
        producing.signal(signal.SIGTERM)
        assert producing.wait() == 143
        assert "interrupted after line" in producing.log
