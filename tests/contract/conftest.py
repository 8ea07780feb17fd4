"""Every test of the contract runs once on each kind of broker."""

from collections.abc import AsyncIterator

import pytest

from tests.contract.backends import BACKENDS, Backend, OpenBackend


@pytest.fixture(params=BACKENDS)
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    """A broker with empty topics."""
    open_backend: OpenBackend = request.param
    async with open_backend(request) as opened:
        yield opened
