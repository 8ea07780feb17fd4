"""The states of a transaction session, and the way of a transaction through its steps.

| state | step | requests | goes on when |
|---|---|---|---|
| READY | | Describe, until the last markers are written (version 2) | `start` |
| OPEN | WAITING | the same Describe | the markers are written |
| OPEN | BEGINNING | AddPartitions and AddOffsets at once (version 1) | both are taken |
| OPEN | PRODUCING | Produce to all leaders at once | every batch is acknowledged |
| OPEN | FOLLOWING_UP | Produce, of batches that tell where the first ones stand | the same |
| OPEN | COMMITTING_OFFSETS | CommitOffsets | it is taken |
| ENDING | ENDING | End | it is taken: READY |
| ENDING | ENDING | Describe, after an End without an answer that counts | READY, or DEAD |
| DEAD | | none | never |

A step with nothing to do is done at once. A refusal in OPEN that only concerns the transaction goes
to ENDING, once nothing is on its way any more, with an abort. Any other refusal goes to DEAD, and
so does a round that is not done in time.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from processor.kafka.transactions.values import TransactionVersion


class State(Enum):
    """The states of a session, as its caller sees them: they say which calls are allowed."""

    READY = "ready"
    OPEN = "open"
    ENDING = "ending"
    DEAD = "dead"


class Step(Enum):
    """The steps of a transaction."""

    WAITING = State.OPEN, 0
    BEGINNING = State.OPEN, 1
    PRODUCING = State.OPEN, 2
    FOLLOWING_UP = State.OPEN, 3
    COMMITTING_OFFSETS = State.OPEN, 4
    ENDING = State.ENDING, 5

    @property
    def state(self) -> State:
        """The state that the step belongs to."""
        return self.value[0]


_V1: Final = {
    Step.WAITING: Step.BEGINNING,
    Step.BEGINNING: Step.PRODUCING,
    Step.PRODUCING: Step.FOLLOWING_UP,
    Step.FOLLOWING_UP: Step.COMMITTING_OFFSETS,
    Step.COMMITTING_OFFSETS: Step.ENDING,
}
PATHS: Final[Mapping[TransactionVersion, Mapping[Step, Step]]] = {
    TransactionVersion.V1: _V1,
    TransactionVersion.V2: {**_V1, Step.WAITING: Step.PRODUCING},
}
"""Which step follows which, as long as nothing is refused."""
