"""``docker compose up``: what people run to see what this is."""

import json
import re
from collections.abc import Iterator

import pytest

from tests.containers.compose import Compose
from tests.containers.docker import docker, state, wait_until
from tests.integration import foreign
from tests.integration.judge import check_snapshots, judge
from tests.integration.process import command

pytestmark = [pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(900)]

_ALL = list(range(8))


def _streams_of(container: str) -> list[int]:
    """The streams that a processor was given last."""
    given = re.findall(r"streams assigned: (.*)", docker("logs", container))
    return [int(number) for number in re.findall(r"\d+", given[-1] if given else "")]


def _spread(compose: Compose) -> list[list[int]]:
    return [_streams_of(container) for container in compose.containers("processor")]


def _listed(compose: Compose) -> dict[str, object]:
    """The live orders, as ``live-orders list`` on this machine has them."""
    servers = f"--bootstrap-servers={compose.cluster.servers}"
    done = command({}, "list", "--json", servers)
    assert (done.returncode, done.stderr) == (0, "")
    return {order["order_id"]: order for order in map(json.loads, done.stdout.splitlines())}


def test_lists_move_within_a_minute(compose: Compose) -> None:
    assert compose.seconds_until_lists_moved < 60


def test_the_streams_are_spread_over_two_processors(compose: Compose) -> None:
    def is_spread() -> bool:
        one, other = _spread(compose)
        return len(one) == len(other) and sorted(one + other) == _ALL

    wait_until(is_spread, "four streams each")


def test_topics_is_done_once_they_are_there(compose: Compose) -> None:
    (container,) = compose("ps", "--all", "--quiet", "topics").split()
    assert (state(container, "Status"), state(container, "ExitCode")) == ("exited", "0")


def test_list_works_from_this_machine(compose: Compose) -> None:
    wait_until(lambda: len(_listed(compose)) > 0, "live orders")


@pytest.fixture
def hurt(compose: Compose) -> Iterator[Compose]:
    """The same, for a test that kills or stops parts of it; they are started again afterwards."""
    yield compose
    compose.up()


async def test_a_processor_that_was_killed_loses_nothing(hurt: Compose) -> None:
    cluster = hurt.cluster
    wait_until(lambda: all(_spread(hurt)), "two processors at work")
    killed, heir = hurt.containers("processor")
    done = sum(await cluster.committed())
    await cluster.progressed(done + 1_000)
    docker("kill", killed)
    wait_until(lambda: sorted(_streams_of(heir)) == _ALL, "an heir of all streams")
    await cluster.progressed(done + 3_000)
    hurt("stop", "market")
    await cluster.drained()
    await judge(cluster)
    await check_snapshots(cluster)
    assert foreign.read_table(cluster.servers, cluster.topics.live, 8) == _listed(hurt)
