"""Taking over a transactional id: a machine without I/O.

| step | request | goes on when |
|---|---|---|
| DESCRIBING | Describe | it is known how the last transaction ended |
| INITIALIZING | InitProducerId | it is given: done; any other answer, or none: DESCRIBING again |

The state is asked for before each try: the try that succeeds has found the last transaction ended,
and makes the coordinator forget how. So that a next owner still knows, if this one comes to an end
before it has used its knowledge, that is noted with the same write: in what is left of the
transaction timeout when it is divided by three.
"""

from dataclasses import dataclass
from enum import Enum
from itertools import count
from typing import Final, TypeAlias

from processor.kafka.transactions.error_codes import ErrorCode
from processor.kafka.transactions.errors import Judgement, Remedy, judge
from processor.kafka.transactions.fate import COMMITTED, EMPTY
from processor.kafka.transactions.outcomes import Cause
from processor.kafka.transactions.questions import Questions
from processor.kafka.transactions.requests import (
    Describe,
    FindCoordinator,
    InitProducerId,
    Request,
)
from processor.kafka.transactions.responses import (
    CoordinatorFound,
    Described,
    ProducerIdGiven,
    Response,
)
from processor.kafka.transactions.values import (
    CoordinatorKey,
    CoordinatorKind,
    Ending,
    Producer,
)

# What each remainder stands for.
_NOTES: Final = (None, Ending.ABORT, Ending.COMMIT)
# The id was never used, or the broker (before Kafka 3.0) cannot tell.
_NOT_DESCRIBED: Final = (ErrorCode.TRANSACTIONAL_ID_NOT_FOUND, ErrorCode.UNSUPPORTED_VERSION)


class _Step(Enum):
    DESCRIBING = "describing"
    INITIALIZING = "initializing"


@dataclass(frozen=True, slots=True)
class Acquired:
    """The id is ours.

    ``ending`` is how records that still hang of its last transaction must end; None if the id was
    never used. ``coordinator`` is the node that said so.
    """

    producer: Producer
    ending: Ending | None
    coordinator: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The broker does not give it, and will not."""

    cause: Cause


Acquirement: TypeAlias = Acquired | Refused


class Acquisition:
    """The way to one producer id; it has no bound of its own."""

    def __init__(self, transactional_id: str, *, timeout_ms: int, now_ms: float) -> None:
        """Begin.

        Args:
            transactional_id: the id to take over.
            timeout_ms: the transaction timeout to ask for; up to two less may be asked for.
            now_ms: the time.
        """
        self.outcome: Acquirement | None = None
        """The outcome, None until there is one."""
        self._id = transactional_id
        self._timeout_ms = timeout_ms
        self._step = _Step.DESCRIBING
        self._ending: Ending | None = None
        self._questions = Questions(count(1))
        key = CoordinatorKey(CoordinatorKind.TRANSACTION, transactional_id)
        self._question = self._questions.ask(key, self._make, now_ms)

    def take_requests(self, now_ms: float) -> list[Request]:
        """The requests to send now; each must be handed to `receive`, `lost` or `unsent` once."""
        return self._questions.take_requests(now_ms)

    @property
    def next_time_ms(self) -> float:
        """When to call `take_requests` if nothing is handed in until then; may be infinite."""
        return self._questions.next_time_ms

    def receive(self, request: Request, response: Response, now_ms: float) -> None:
        """Take the answer to a request.

        Raises:
            TypeError: it is no answer to such a request.
        """
        match request, response:
            case FindCoordinator(), CoordinatorFound():
                self._end_if_refused(self._questions.found(request, response, now_ms))
            case Describe(), Described():
                self._receive_state(response, now_ms)
            case InitProducerId(), ProducerIdGiven():
                self._receive_producer(request, response, now_ms)
            case _:
                raise TypeError(f"{response} is no answer to {request}")

    def lost(self, request: Request, now_ms: float) -> None:
        """The request may have been taken, and no answer will come."""
        if isinstance(request, FindCoordinator):
            self._questions.not_found(request, now_ms)
        else:
            self._try_again(Remedy.MOVED, now_ms)

    def unsent(self, request: Request, now_ms: float) -> None:
        """The request was certainly not sent."""
        self.lost(request, now_ms)

    def _make(self, request_id: int, node: int) -> Request:
        if self._step is _Step.DESCRIBING:
            return Describe(request_id, node, self._id)
        noted = (self._timeout_ms - _NOTES.index(self._ending)) % len(_NOTES)
        return InitProducerId(request_id, node, self._id, self._timeout_ms - noted)

    def _receive_state(self, response: Described, now_ms: float) -> None:
        judgement = judge(Describe, response.error_code)
        if judgement.remedy is Remedy.DONE or response.error_code in _NOT_DESCRIBED:
            self._ending = _ending(response)
            self._step = _Step.INITIALIZING
            self._question.ask_now(now_ms)
        else:
            self._go_on(judgement, now_ms)

    def _receive_producer(
        self, request: InitProducerId, response: ProducerIdGiven, now_ms: float
    ) -> None:
        judgement = judge(InitProducerId, response.error_code)
        if judgement.remedy is Remedy.DONE:
            self.outcome = Acquired(response.producer, self._ending, request.node)
        else:
            self._go_on(judgement, now_ms)

    def _go_on(self, judgement: Judgement, now_ms: float) -> None:
        self._try_again(judgement.remedy, now_ms)
        self._end_if_refused(judgement)

    def _try_again(self, remedy: Remedy, now_ms: float) -> None:
        """After a try that did not succeed the state is another one."""
        self._step = _Step.DESCRIBING
        self._questions.ask_again(self._question, remedy, now_ms)

    def _end_if_refused(self, judgement: Judgement) -> None:
        if judgement.remedy >= Remedy.ABORT:
            self.outcome = Refused(judgement.cause)
            self._questions.give_up()


def _ending(described: Described) -> Ending | None:
    """How what hangs of the last transaction must end."""
    if described.error_code == ErrorCode.TRANSACTIONAL_ID_NOT_FOUND:
        return None
    if described.state == EMPTY:
        return _NOTES[described.timeout_ms % len(_NOTES)]
    return Ending.COMMIT if described.state in COMMITTED else Ending.ABORT
