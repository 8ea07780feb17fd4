"""The transactions of one producer id, one after the other: a machine without I/O.

Its states are in `states`. The owner hands in a whole round and drives the machine until the
outcome is there:

1. `take_requests` gives what is to be sent now, `next_time_ms` when to look again.
2. `receive`, `lost` or `unsent` is called once for each request.
"""

from collections.abc import Mapping
from itertools import count

from processor.kafka.transactions.errors import Remedy, judge
from processor.kafka.transactions.fate import is_ending
from processor.kafka.transactions.leaders import Leaders
from processor.kafka.transactions.limits import Limits
from processor.kafka.transactions.outcomes import Aborted, Committed, Dead, Fate, Outcome
from processor.kafka.transactions.question import Question
from processor.kafka.transactions.questions import Questions
from processor.kafka.transactions.requests import (
    Describe,
    End,
    FindCoordinator,
    Produce,
    RefreshLeaders,
    Request,
)
from processor.kafka.transactions.responses import (
    CoordinatorFound,
    Described,
    LeadersFound,
    Produced,
    Response,
)
from processor.kafka.transactions.round import Round, Settlement
from processor.kafka.transactions.sequences import Sequences
from processor.kafka.transactions.states import State
from processor.kafka.transactions.transaction import Transaction
from processor.kafka.transactions.values import (
    CoordinatorKey,
    CoordinatorKind,
    Ending,
    Producer,
    TopicPartition,
    TransactionVersion,
)


class TransactionSession:
    """The transactions of one producer id."""

    def __init__(
        self,
        transactional_id: str,
        producer: Producer,
        version: TransactionVersion,
        *,
        coordinator: int | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Begin in READY.

        Args:
            transactional_id: whose transactions.
            producer: what InitProducerId gave; nothing was produced with it yet.
            version: what the broker's feature ``transaction.version`` allows.
            coordinator: the transaction coordinator's node, if it is known.
            limits: the bounds.
        """
        self.producer = producer
        self.outcome: Outcome | None = None
        """The outcome of the last round, None while one is under way."""
        self.death: Dead | None = None
        """Why the session is dead, None while it lives; ABORTED if no round was under way."""
        self._id = transactional_id
        self._version = version
        self._limits = limits or Limits()
        self._key = CoordinatorKey(CoordinatorKind.TRANSACTION, transactional_id)
        self._ids = count(1)
        self._questions = Questions(self._ids)
        if coordinator is not None:
            self._questions.coordinator_is(self._key, coordinator)
        self._leaders = Leaders()
        self._sequences = Sequences()
        self._completion: Question | None = None
        """Whether the last transaction has all its markers."""
        self._transaction: Transaction | None = None

    @property
    def state(self) -> State:
        """Which calls the session allows now."""
        if self.death is not None:
            return State.DEAD
        return State.READY if self._transaction is None else self._transaction.step.state

    def start(self, work: Round | Settlement, now_ms: float) -> None:
        """Begin a transaction; one with nothing in it is over at once, without a request.

        Raises:
            RuntimeError: the session is not READY.
        """
        if self.state is not State.READY:
            raise RuntimeError(f"the session is {self.state.value}")
        if not work.partitions and work.group_id is None:
            self.outcome = Committed({}) if work.ending is Ending.COMMIT else Aborted(None)
            return
        self.outcome = None
        self._transaction = Transaction(
            self._id,
            self.producer,
            work,
            self._version,
            self._questions,
            self._leaders,
            self._sequences,
            self._limits,
            now_ms,
        )

    def leaders_are(self, leaders: Mapping[TopicPartition, int]) -> None:
        """Learn who leads partitions, from a view of the cluster that others keep."""
        self._leaders.learn(leaders)

    def take_requests(self, now_ms: float) -> list[Request]:
        """The requests to send now; each must be handed to `receive`, `lost` or `unsent` once."""
        if self._transaction is not None:
            self._transaction.check_time(now_ms)
            self._advance(now_ms)
        requests = self._questions.take_requests(now_ms)
        if self._transaction is not None:
            requests += self._transaction.take_requests(self._ids, now_ms)
        return requests

    @property
    def next_time_ms(self) -> float:
        """When to call `take_requests` if nothing is handed in until then; may be infinite."""
        if self._transaction is None:
            return self._questions.next_time_ms
        return min(self._questions.next_time_ms, self._transaction.next_time_ms)

    def receive(self, request: Request, response: Response, now_ms: float) -> None:
        """Take the answer to a request; one that is not waited for any more changes nothing.

        Raises:
            TypeError: it is no answer to such a request.
        """
        match request, response:
            case FindCoordinator(), CoordinatorFound():
                self._receive_coordinator(request, response, now_ms)
            case RefreshLeaders(), LeadersFound():
                self._leaders.receive(request, response.leaders, now_ms)
            case Produce(), Produced():
                if self._transaction is not None:
                    self._transaction.receive_produced(request, response, now_ms)
            case _:
                question = self._questions.of(request)
                if question is not None:
                    self._receive_answer(question, request, response, now_ms)
        self._advance(now_ms)

    def lost(self, request: Request, now_ms: float) -> None:
        """The request may have been taken, and no answer will come."""
        self._fail(request, now_ms, sent=True)

    def unsent(self, request: Request, now_ms: float) -> None:
        """The request was certainly not sent."""
        self._fail(request, now_ms, sent=False)

    # Answers, and none.

    def _receive_coordinator(
        self, request: FindCoordinator, response: CoordinatorFound, now_ms: float
    ) -> None:
        judgement = self._questions.found(request, response, now_ms)
        if judgement.remedy < Remedy.ABORT:
            return
        if self._transaction is not None:
            self._transaction.die(judgement.cause)
        else:
            self._die(Dead(judgement.cause, Fate.ABORTED))

    def _receive_answer(
        self, question: Question, request: Request, response: Response, now_ms: float
    ) -> None:
        if question is self._completion and isinstance(response, Described):
            self._receive_completion(question, response, now_ms)
        elif self._transaction is not None:
            self._transaction.receive(question, request, response, now_ms)

    def _receive_completion(self, question: Question, response: Described, now_ms: float) -> None:
        remedy = judge(Describe, response.error_code).remedy
        if is_ending(response):
            self._questions.ask_again(question, Remedy.WAIT, now_ms)
        elif Remedy.DONE < remedy < Remedy.ABORT:
            self._questions.ask_again(question, remedy, now_ms)
        else:
            # Complete; or not to be known, and then the leaders wait.
            self._questions.drop(question)

    def _fail(self, request: Request, now_ms: float, *, sent: bool) -> None:
        match request:
            case FindCoordinator():
                self._questions.not_found(request, now_ms)
            case RefreshLeaders():
                self._leaders.fail(now_ms)
            case Produce():
                if self._transaction is not None:
                    self._transaction.lose_produce(request, now_ms, sent=sent)
            case _:
                question = self._questions.of(request)
                if question is not None:
                    self._fail_question(question, request, now_ms, sent=sent)
        self._advance(now_ms)

    def _fail_question(
        self, question: Question, request: Request, now_ms: float, *, sent: bool
    ) -> None:
        only_one = not question.in_doubt
        self._questions.lose(question, now_ms, sent=sent)
        if sent and isinstance(request, End) and self._transaction is not None:
            self._transaction.lose_end(now_ms, only_one=only_one)

    # From one transaction to the next.

    def _advance(self, now_ms: float) -> None:
        transaction = self._transaction
        if transaction is None:
            return
        transaction.advance(now_ms)
        if transaction.outcome is not None:
            self._finish(transaction, transaction.outcome, now_ms)

    def _finish(self, transaction: Transaction, outcome: Outcome, now_ms: float) -> None:
        self._transaction = None
        self.outcome = outcome
        if isinstance(outcome, Dead):
            self._die(outcome)
            return
        if transaction.next_producer is not None:
            self.producer = transaction.next_producer
            self._sequences.reset()
        if self._version is TransactionVersion.V2 and self._limits.await_completion:
            self._completion = self._questions.ask(
                self._key, lambda id, node: Describe(id, node, self._id), now_ms
            )

    def _die(self, death: Dead) -> None:
        self.death = death
        self._questions.give_up()
