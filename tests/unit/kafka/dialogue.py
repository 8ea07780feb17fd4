"""A dialogue with a transaction machine, answer by answer."""

import math
from typing import Any, Protocol, TypeVar

from processor.kafka.transactions.requests import (
    AddOffsets,
    AddPartitions,
    CommitOffsets,
    Describe,
    End,
    FindCoordinator,
    InitProducerId,
    Produce,
    RefreshLeaders,
    Request,
)
from processor.kafka.transactions.responses import (
    CoordinatorFound,
    Described,
    Ended,
    LeadersFound,
    OffsetsAdded,
    OffsetsCommitted,
    PartitionsAdded,
    Produced,
    ProducerIdGiven,
    Response,
    Written,
)
from processor.kafka.transactions.values import Producer, TransactionVersion

_R = TypeVar("_R", bound=Request)

COORDINATOR, LEADER = 1, 2


class Machine(Protocol):
    """A session or an acquisition."""

    def take_requests(self, now_ms: float) -> list[Request]:
        """Requests out."""

    @property
    def next_time_ms(self) -> float:
        """When next."""

    def receive(self, request: Request, response: Response, now_ms: float) -> None:
        """Responses in."""

    def lost(self, request: Request, now_ms: float) -> None:
        """No answer."""

    def unsent(self, request: Request, now_ms: float) -> None:
        """Not sent."""


class Dialogue:
    """What the machine asks for, and what it is told; its clock only goes on by `wait`."""

    def __init__(self, machine: Machine) -> None:
        self.now_ms = 0.0
        self.open: list[Request] = []
        self.asked: list[Request] = []
        self._machine = machine

    def take(self) -> list[Request]:
        """What the machine asks for now."""
        taken = self._machine.take_requests(self.now_ms)
        self.open += taken
        self.asked += taken
        return taken

    def the(self, kind: type[_R]) -> _R:
        """The one request of a kind that is open; takes what is asked for now."""
        self.take()
        (found,) = (request for request in self.open if isinstance(request, kind))
        return found

    def kinds(self) -> set[type[Any]]:
        """The kinds of request that are open; takes what is asked for now."""
        self.take()
        return {type(request) for request in self.open}

    def answer(self, kind: type[Request], response: Response | None = None) -> None:
        """Answer the open request of a kind, well if not said otherwise."""
        request = self.the(kind)
        self.open.remove(request)
        self._machine.receive(request, response or good(request), self.now_ms)

    def lose(self, kind: type[Request]) -> None:
        """Lose the open request of a kind, or its answer."""
        request = self.the(kind)
        self.open.remove(request)
        self._machine.lost(request, self.now_ms)

    def unsend(self, kind: type[Request]) -> None:
        """Fail to send the open request of a kind."""
        request = self.the(kind)
        self.open.remove(request)
        self._machine.unsent(request, self.now_ms)

    def wait(self) -> float:
        """Let the time pass that the machine waits, and say how long that was."""
        waited_ms = self._machine.next_time_ms - self.now_ms
        if math.isfinite(waited_ms):
            self.now_ms += max(waited_ms, 0)
        return waited_ms

    def go_on(self, *, until: type[Request] | None = None) -> None:
        """Answer well whatever is asked for, up to a kind of request that is left open."""
        for _ in range(100):
            self.take()
            if until is not None and any(isinstance(request, until) for request in self.open):
                return
            if not self.open:
                return
            request = self.open.pop(0)
            self._machine.receive(request, good(request), self.now_ms)
        raise AssertionError(f"no end: {self.asked[-3:]}")


def good(request: Request) -> Response:
    """The answer of a broker that is content."""
    match request:
        case FindCoordinator():
            return CoordinatorFound(0, COORDINATOR)
        case RefreshLeaders():
            return LeadersFound(dict.fromkeys(request.partitions, LEADER))
        case InitProducerId():
            return ProducerIdGiven(0, Producer(7, 3))
        case Describe():
            return Described(0, "CompleteCommit", Producer(7, 3), 60_000)
        case AddPartitions():
            return PartitionsAdded(dict.fromkeys(request.partitions, 0))
        case AddOffsets():
            return OffsetsAdded(0)
        case Produce():
            return Produced({sent.partition: Written(0, 100) for sent in request.batches})
        case CommitOffsets():
            return OffsetsCommitted(dict.fromkeys(request.offsets.offsets, 0))
        case End():
            if request.version is TransactionVersion.V1:
                return Ended(0)
            return Ended(0, Producer(request.producer.id, request.producer.epoch + 1))


def refusal(request: Request, code: int) -> Response:
    """The answer with an error code, for all that the request is about."""
    match request:
        case FindCoordinator():
            return CoordinatorFound(code)
        case InitProducerId():
            return ProducerIdGiven(code)
        case Describe():
            return Described(code)
        case AddPartitions():
            return PartitionsAdded(dict.fromkeys(request.partitions, code))
        case AddOffsets():
            return OffsetsAdded(code)
        case Produce():
            return Produced({sent.partition: Written(code) for sent in request.batches})
        case CommitOffsets():
            return OffsetsCommitted(dict.fromkeys(request.offsets.offsets, code))
        case End():
            return Ended(code)
        case RefreshLeaders():
            return LeadersFound({})
