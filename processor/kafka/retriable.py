"""Transient coordinator errors: loading, moved, or still completing the last transaction."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from aiokafka.errors import (
    ConcurrentTransactions,
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    KafkaError,
    NotCoordinatorError,
    for_code,
)

from processor.kafka.errors import describe

_T = TypeVar("_T")

_log = logging.getLogger(__name__)

_PASSING: Final = (
    ConcurrentTransactions,
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    NotCoordinatorError,
)
# When somebody should hear of what does not pass.
_SLOW_S: Final = 5


def require_passing(error: KafkaError) -> None:
    """Raise an error of a coordinator's, unless the same request can succeed some moments later."""
    if not error.retriable and not isinstance(error, _PASSING):
        raise error


def raise_for(error_code: int) -> None:
    """Raise the error that an answer has, if it has one."""
    if error_code:
        raise for_code(error_code)(f"code {error_code}")


async def until_passed(doing: str, ask: Callable[[], Awaitable[_T]], pause_s: float) -> _T:
    """Ask until no passing error comes back; bound it from outside.

    Args:
        doing: what is being done, for the log.
        ask: asks once.
        pause_s: how long to wait before asking again.

    Raises:
        KafkaError: one that does not pass.
    """
    now = asyncio.get_running_loop().time
    slow_at = now() + _SLOW_S
    while True:
        try:
            return await ask()
        except KafkaError as error:
            require_passing(error)
            if now() > slow_at:
                _log.warning("%s takes long: %s; trying on", doing, describe(error))
                slow_at = now() + _SLOW_S
        await asyncio.sleep(pause_s)
