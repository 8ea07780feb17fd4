"""How a transaction ended, by what its coordinator says."""

from typing import Final

from processor.kafka.transactions.outcomes import Fate
from processor.kafka.transactions.responses import Described
from processor.kafka.transactions.values import Producer, TransactionVersion

COMMITTED: Final = frozenset({"PrepareCommit", "CompleteCommit"})
ABORTED: Final = frozenset({"PrepareAbort", "CompleteAbort"})
EMPTY: Final = "Empty"


def is_ending(described: Described) -> bool:
    """Whether markers are still to be written."""
    return described.state.startswith("Prepare")


def fate_of(producer: Producer, version: TransactionVersion, described: Described) -> Fate:
    """The fate of a transaction that was told to commit.

    Version 1 keeps the epoch, so the same epoch speaks of this transaction; a higher one can be
    the next owner's. Version 2 raises the epoch once with the end, and the next owner's is higher
    by two; a state with the epoch raised once is this transaction's.

    Args:
        producer: whose transaction.
        version: how it was told.
        described: what the coordinator says after it.
    """
    raised = version is TransactionVersion.V2
    if described.producer != Producer(producer.id, producer.epoch + raised):
        return Fate.UNKNOWN
    if described.state in COMMITTED:
        return Fate.COMMITTED
    return Fate.ABORTED if described.state in ABORTED else Fate.UNKNOWN
