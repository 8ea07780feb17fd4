"""Errors of aiokafka's where nobody looks: on futures of its own, and in their callbacks."""

import asyncio
from typing import Any

from aiokafka import AIOKafkaProducer


class _Batches(set[Any]):
    """A set that can be told to remove what it does not have.

    A batch that is to be sent again is taken out, and taken out once more if it fails before it is.
    """

    def remove(self, element: Any) -> None:
        self.discard(element)


def expect_failures(producer: AIOKafkaProducer) -> None:
    """Prepare a producer for the end of its broker."""
    accumulator: Any = producer._message_accumulator
    accumulator._pending_batches = _Batches()


def hear_out(producer: AIOKafkaProducer) -> None:
    """Take the errors of a producer that failed, which we have had from its answers to us.

    Else asyncio logs each as a fault, with a trace, when the future is thrown away. Some come only
    when the next owner cuts it off: call this when it is given up, and again when it has stopped.
    """
    accumulator: Any = producer._message_accumulator
    transactions: Any = producer._txn_manager
    waiters = [transactions._transaction_waiter]
    waiters += [waiter for *_, waiter in transactions._pending_txn_offsets]
    batches = [*accumulator._pending_batches]
    for waiting in accumulator._batches.values():
        batches.extend(waiting)
    for batch in batches:
        waiters += [batch.future, batch._drain_waiter]
    for waiter in waiters:
        if waiter is not None:
            hear(waiter)


def hear(waiter: "asyncio.Future[Any]") -> None:
    """Take the error of a future, now or when it has one, whoever else waits for it."""
    if waiter.done():
        _hear(waiter)
    else:
        waiter.add_done_callback(_hear)


def _hear(waiter: "asyncio.Future[Any]") -> None:
    if not waiter.cancelled():
        waiter.exception()
