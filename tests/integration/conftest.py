"""What the integration tests share."""

from collections.abc import Awaitable, Callable

import pytest

from tests.integration.cluster import Cluster

NewCluster = Callable[[int], Awaitable[Cluster]]


@pytest.fixture
def new_cluster(bootstrap: str) -> NewCluster:
    """Makes topics of the test's own, with so many streams."""

    async def make(num_streams: int) -> Cluster:
        cluster = Cluster(bootstrap, num_streams)
        await cluster.create()
        return cluster

    return make
