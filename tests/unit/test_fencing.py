"""What is concluded from how the last transaction of an id ended."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import IncompatibleBrokerVersion, TransactionalIdAuthorizationFailed

from processor.kafka.fencing import Ending, Fenced, fence
from tests.unit.coordinator import ScriptedAdmin

_NO_SUCH_ID, _CONCURRENT, _NOT_COORDINATOR, _REFUSED = 105, 51, 16, 53


def state(name: str, timeout_ms: int = 60_000, error_code: int = 0) -> SimpleNamespace:
    """An answer to DescribeTransactions."""
    described: Any = (error_code, "id", name, timeout_ms, -1, 7, 1, [])
    return SimpleNamespace(transaction_states=[described])


def initialized(error_code: int = 0) -> SimpleNamespace:
    """An answer to InitProducerId."""
    return SimpleNamespace(error_code=error_code, producer_id=7, producer_epoch=3)


async def fenced(admin: ScriptedAdmin) -> Fenced:
    """Fence with a timeout of a minute."""
    return await fence(
        cast("AIOKafkaAdminClient", admin), "id", timeout_ms=60_000, retry_backoff_ms=0
    )


def noted_ms(admin: ScriptedAdmin) -> int:
    """The transaction timeout that was asked for last."""
    request: Any = admin.requests[-1]
    return int(request._transaction_timeout_ms)


@pytest.mark.parametrize(
    ("last", "ending", "timeout_ms"),
    [
        (state("", error_code=_NO_SUCH_ID), None, 60_000),
        (state("CompleteCommit"), Ending.COMMIT, 59_999),
        (state("PrepareCommit"), Ending.COMMIT, 59_999),
        (state("CompleteAbort"), Ending.ABORT, 59_998),
        (state("PrepareAbort"), Ending.ABORT, 59_998),
        (state("Ongoing"), Ending.ABORT, 59_998),
        (IncompatibleBrokerVersion(), Ending.ABORT, 59_998),
    ],
)
async def test_what_hangs_ends_as_the_last_transaction_did(
    last: SimpleNamespace | Exception, ending: Ending | None, timeout_ms: int
) -> None:
    admin = ScriptedAdmin([last, initialized()])
    assert await fenced(admin) == Fenced(ending, 7, 3)
    assert noted_ms(admin) == timeout_ms


@pytest.mark.parametrize(
    "last", [state("", error_code=_NO_SUCH_ID), state("CompleteCommit"), state("CompleteAbort")]
)
async def test_an_owner_that_has_only_fenced_passes_on_what_it_knew(last: SimpleNamespace) -> None:
    first = ScriptedAdmin([last, initialized()])
    known = await fenced(first)
    second = ScriptedAdmin([state("Empty", noted_ms(first)), initialized()])
    assert await fenced(second) == known
    assert noted_ms(second) == noted_ms(first)


async def test_the_state_that_counts_is_the_one_before_the_try_that_succeeds() -> None:
    admin = ScriptedAdmin(
        [
            state("CompleteCommit"),
            initialized(_CONCURRENT),
            state("", error_code=_NOT_COORDINATOR),
            state("CompleteAbort"),
            initialized(),
        ]
    )
    assert (await fenced(admin)).ending is Ending.ABORT


async def test_a_refusal_ends_it() -> None:
    admin = ScriptedAdmin([state("CompleteCommit"), initialized(_REFUSED)])
    with pytest.raises(TransactionalIdAuthorizationFailed):
        await fenced(admin)
