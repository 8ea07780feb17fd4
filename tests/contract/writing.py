"""Short words for what the tests of the contract write again and again."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from processor.errors import TaskLost
from processor.task.ports import Membership, Partition, Round, Transactions
from processor.wire.record import Record
from tests.contract.backends import Process
from tests.fakes.link import Hold

_LIMIT_S = 15

Writes = Mapping[Partition, Sequence[Record]]
Ends = Mapping[Partition, int]


def round_of(transactions: Transactions, writes: Writes) -> Round:
    """A round with these records."""
    filled = transactions.new_round()
    for where, records in writes.items():
        filled.add(where, records)
    return filled


async def commit(
    transactions: Transactions,
    writes: Writes,
    offsets: Mapping[Partition, int] | None = None,
    membership: Membership | None = None,
) -> Ends:
    """Commit a round with these records."""
    return await transactions.commit(round_of(transactions, writes), offsets or {}, membership)


async def owned(process: Process, name: str = "one") -> Transactions:
    """The transactions of an id, acquired."""
    transactions = process.transactions(name)
    await transactions.acquire()
    return transactions


class Held:
    """A transaction of which all is written, and only the end is missing."""

    def __init__(self, committing: "asyncio.Task[Ends]", hold: Hold) -> None:
        self._committing = committing
        self._hold = hold

    async def go_on(self) -> Ends:
        """Send the end; what `commit` gives."""
        self._hold.release()
        async with asyncio.timeout(_LIMIT_S):
            return await self._committing


@asynccontextmanager
async def held(
    process: Process,
    transactions: Transactions,
    writes: Writes,
    offsets: Mapping[Partition, int] | None = None,
    membership: Membership | None = None,
) -> AsyncIterator[Held]:
    """Have a transaction open; one that is open at the end of the block stays so, without owner."""
    hold = process.hold_end()
    committing = asyncio.create_task(commit(transactions, writes, offsets, membership))
    reached = asyncio.create_task(hold.reached.wait())
    try:
        async with asyncio.timeout(_LIMIT_S):
            await asyncio.wait([committing, reached], return_when=asyncio.FIRST_COMPLETED)
        assert not committing.done(), f"nothing is held: {committing}"
        yield Held(committing, hold)
    finally:
        reached.cancel()
        committing.cancel()
        with suppress(asyncio.CancelledError, TaskLost):
            await committing


async def crash_while_committing(process: Process, writes: Writes, name: str = "one") -> None:
    """Be an owner who writes records in a transaction and then falls silent for ever."""
    async with held(process, await owned(process, name), writes):
        pass
