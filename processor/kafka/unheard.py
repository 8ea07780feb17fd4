"""Errors that aiokafka leaves on futures of its own, where nobody looks."""

from typing import Any

from aiokafka import AIOKafkaProducer


def hear_out(producer: AIOKafkaProducer) -> None:
    """Take the errors of a producer that failed, which we have had from its answers to us.

    Else asyncio logs each as a fault, with a trace, when the future is thrown away.
    """
    accumulator: Any = producer._message_accumulator
    transactions: Any = producer._txn_manager
    waiters = [transactions._transaction_waiter]
    for batches in (*accumulator._batches.values(), accumulator._pending_batches):
        waiters.extend(batch._drain_waiter for batch in batches)
    for waiter in waiters:
        if waiter is not None and waiter.done() and not waiter.cancelled():
            waiter.exception()
