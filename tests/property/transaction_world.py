"""Owners of one transactional id over a fake cluster that loses, delays and moves things.

A seed decides everything, and so replays it.
"""

from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from processor.kafka.transactions.acquire import Acquired, Acquisition
from processor.kafka.transactions.error_codes import ErrorCode
from processor.kafka.transactions.limits import Limits
from processor.kafka.transactions.outcomes import Outcome
from processor.kafka.transactions.requests import (
    AddOffsets,
    AddPartitions,
    CommitOffsets,
    End,
    InitProducerId,
    Produce,
    Request,
)
from processor.kafka.transactions.responses import (
    Ended,
    OffsetsAdded,
    OffsetsCommitted,
    PartitionsAdded,
    Produced,
    Response,
    Written,
)
from processor.kafka.transactions.round import GroupOffsets, Offset, Round, Settlement
from processor.kafka.transactions.session import TransactionSession
from processor.kafka.transactions.states import State
from processor.kafka.transactions.values import (
    CoordinatorKind,
    Ending,
    TopicPartition,
    TransactionVersion,
)
from tests.fakes.transactions import FakeBatch, FakeCluster, names

INPUT = TopicPartition("in", 0)
_ID = "app"


class Machine(Protocol):
    """What a session and an acquisition have in common."""

    outcome: Any

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


@dataclass(frozen=True)
class Told:
    """A round, and what its session said of it."""

    work: Round
    offset: int
    outcome: Outcome


class World:
    """One schedule."""

    def __init__(self, seed: int, version: TransactionVersion) -> None:
        self.told: list[Told] = []
        self.cluster = FakeCluster(last_epoch=Random(seed).choice((7, 32_767)))
        self._random = Random(seed)
        self._version = version
        self._trouble = self._random.choice((0.0, 0.05, 0.3))
        self._now_ms = 0.0
        self._late: list[Request] = []
        self._names = names()
        self._offset = 0

    def run(self, rounds: int) -> None:
        """Run that many rounds, by as many sessions as it takes, and then let all end."""
        session = self._acquire()
        for _ in range(rounds):
            work = self._work()
            outcome = self._perform(session, work)
            if isinstance(work, Round):
                self.told.append(Told(work, self._offset, outcome))
            if session.state is State.DEAD or self._chance(0.1):
                session = self._acquire()
        self._acquire()
        while self.cluster.write_marker():
            pass

    def _perform(self, session: TransactionSession, work: Round | Settlement) -> Outcome:
        session.start(work, self._now_ms)
        self._drive(session)
        assert session.outcome is not None
        return session.outcome

    def _acquire(self) -> TransactionSession:
        acquisition = Acquisition(_ID, timeout_ms=60_000, now_ms=self._now_ms)
        self._drive(acquisition)
        acquired = acquisition.outcome
        assert isinstance(acquired, Acquired)
        # The next owner can have been given the id meanwhile.
        limits = Limits(
            round_timeout_ms=self._random.choice((300, 30_000)),
            request_bytes=self._random.choice((150, 10_000)),
            await_completion=self._chance(0.5),
        )
        coordinator = self._random.choice((None, acquired.coordinator))
        return TransactionSession(
            _ID, acquired.producer, self._version, coordinator=coordinator, limits=limits
        )

    def _work(self) -> Round | Settlement:
        if self._chance(0.1):
            return Settlement(
                self._some_partitions(),
                self._random.choice((None, "g")),
                self._random.choice([*Ending]),
            )
        self._offset += 1
        batches = {where: self._some_batches() for where in self._some_partitions()}
        member, generation = self.cluster.member
        generation -= self._chance(0.1)
        offsets = {INPUT: Offset(self._offset)}
        return Round(batches, GroupOffsets("g", member, generation, None, offsets))

    def _some_partitions(self) -> list[TopicPartition]:
        return [where for where in self.cluster.leaders if self._chance(0.5)]

    def _some_batches(self) -> list[FakeBatch]:
        return [
            FakeBatch(next(self._names), self._random.randint(1, 3))
            for _ in range(self._random.choice((0, 1, 1, 2, 7)))
        ]

    def _chance(self, of: float) -> bool:
        return self._random.random() < of

    # The network.

    def _drive(self, machine: Machine) -> None:
        """Drive a machine until it has an outcome."""
        open_requests: list[Request] = []
        for _ in range(20_000):
            if machine.outcome is not None:
                self._late += [r for r in open_requests if self._may_be_late(r)]
                return
            open_requests += machine.take_requests(self._now_ms)
            self._meanwhile()
            if open_requests and self._chance(0.7):
                index = self._random.randrange(len(open_requests))
                self._transmit(machine, open_requests.pop(index))
            elif not open_requests:
                self._now_ms = max(self._now_ms, min(machine.next_time_ms, self._now_ms + 1e6))
            else:
                self._now_ms += self._random.choice((0.1, 1, 10))
        raise AssertionError("stuck")

    def _transmit(self, machine: Machine, request: Request) -> None:
        if not self._chance(self._trouble):
            machine.receive(request, self.cluster.handle(request), self._now_ms)
            return
        match self._random.randrange(5):
            case 0:
                machine.unsent(request, self._now_ms)
            case 1:
                machine.lost(request, self._now_ms)
            case 2:
                self.cluster.handle(request)
                machine.lost(request, self._now_ms)
            case 3:
                machine.lost(request, self._now_ms)
                self._late += [request] if self._may_be_late(request) else []
            case _:
                # Taken, but the answer only says that it was not done in time.
                answer = self.cluster.handle(request)
                machine.receive(request, _timed_out(request, answer), self._now_ms)

    def _may_be_late(self, request: Request) -> bool:
        """Offsets that are late in version 1 can take the group's back: see `session`."""
        v1 = self._version is TransactionVersion.V1
        return not isinstance(request, InitProducerId) and not (
            isinstance(request, CommitOffsets) and v1
        )

    def _meanwhile(self) -> None:
        """What happens while a request is on its way."""
        if self._chance(0.4):
            self.cluster.write_marker()
        if self._late and self._chance(0.1):
            self.cluster.handle(self._late.pop(self._random.randrange(len(self._late))))
        if not self._chance(self._trouble / 10):
            return
        match self._random.randrange(5):
            case 0:
                self.cluster.move(self._random.choice(list(self.cluster.leaders)))
            case 1:
                self.cluster.move_coordinator(self._random.choice(list(CoordinatorKind)))
            case 2:
                member, generation = self.cluster.member
                self.cluster.member = member, generation + 1
            case 3:
                node = self.cluster.coordinators[CoordinatorKind.TRANSACTION]
                self.cluster.handle(InitProducerId(0, node, _ID, 60_000))
            case _:
                self._abort_as_others_do()

    def _abort_as_others_do(self) -> None:
        """Whoever takes a stream over ends exactly the transaction that it has seen."""
        found = self.cluster.transactions.get(_ID)
        if found is not None and found.state == "Ongoing":
            node = self.cluster.coordinators[CoordinatorKind.TRANSACTION]
            self.cluster.handle(End(0, node, _ID, self._version, found.producer, Ending.ABORT))


def _timed_out(request: Request, answer: Response) -> Response:
    code = ErrorCode.REQUEST_TIMED_OUT
    match request, answer:
        case Produce(), Produced():
            return Produced({sent.partition: Written(code) for sent in request.batches})
        case AddPartitions(), PartitionsAdded():
            return PartitionsAdded(dict.fromkeys(request.partitions, code))
        case AddOffsets(), _:
            return OffsetsAdded(code)
        case CommitOffsets(), _:
            return OffsetsCommitted(dict.fromkeys(request.offsets.offsets, code))
        case End(), _:
            return Ended(code)
    return answer
