"""Cutting off a transactional id's last owner, and learning how its last transaction ended."""

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.transaction import InitProducerIdRequest

from processor.kafka.passing import raise_for, until_passed
from processor.kafka.transaction_state import (
    TransactionState,
    describe_transaction,
    find_transaction_coordinator,
)

_COMMITTED: Final = ("PrepareCommit", "CompleteCommit")
_FENCED: Final = "Empty"


class Ending(Enum):
    """How a transaction ended, and so how records of it that still hang must end."""

    COMMIT = "commit"
    ABORT = "abort"


# What each remainder stands for.
_NOTES: Final = (None, Ending.ABORT, Ending.COMMIT)


@dataclass(frozen=True, slots=True)
class Fenced:
    """What fencing has found.

    ``ending`` is None if the id was never used; the others are what the new owner produces with.
    """

    ending: Ending | None
    producer_id: int
    producer_epoch: int


async def fence(
    admin: AIOKafkaAdminClient, transactional_id: str, *, timeout_ms: int, retry_backoff_ms: int
) -> Fenced:
    """Cut off the last owner; returns when its last transaction has ended.

    The state is asked for right before each try: the try that succeeds finds the transaction ended,
    and forgets how. So that a next owner still knows, if this one comes to an end before it has
    used its knowledge, that is noted with the same write: in what is left of the transaction
    timeout when it is divided by three.

    Args:
        admin: whom to ask through.
        transactional_id: whose owner to cut off.
        timeout_ms: the transaction timeout to ask for; up to two less may be asked for.
        retry_backoff_ms: how long to wait after a passing error.

    Raises:
        KafkaError: the broker refuses.
    """

    async def fence_once() -> Fenced:
        coordinator = await find_transaction_coordinator(admin, transactional_id)
        state = await describe_transaction(admin, coordinator, transactional_id)
        ending = _ending(state)
        noted_ms = timeout_ms - (timeout_ms - _NOTES.index(ending)) % len(_NOTES)
        return Fenced(ending, *await _initialize(admin, coordinator, transactional_id, noted_ms))

    doing = f"fencing {transactional_id}"
    return await until_passed(doing, fence_once, retry_backoff_ms / 1000)


def _ending(state: TransactionState | None) -> Ending | None:
    if state is None:
        return None
    if state.name == _FENCED:
        return _NOTES[state.timeout_ms % len(_NOTES)]
    return Ending.COMMIT if state.name in _COMMITTED else Ending.ABORT


async def _initialize(
    admin: AIOKafkaAdminClient, coordinator: int, transactional_id: str, timeout_ms: int
) -> tuple[int, int]:
    request = InitProducerIdRequest(transactional_id, timeout_ms)
    response: Any = await admin._send_request(request, coordinator)
    raise_for(response.error_code)
    return response.producer_id, response.producer_epoch
