"""The questions to coordinators that are open, and who answers them."""

import math
from collections.abc import Iterator

from processor.kafka.transactions.coordinators import Coordinators
from processor.kafka.transactions.errors import Judgement, Remedy
from processor.kafka.transactions.question import MakeRequest, Question
from processor.kafka.transactions.requests import FindCoordinator, Request
from processor.kafka.transactions.responses import CoordinatorFound
from processor.kafka.transactions.values import CoordinatorKey


class Questions:
    """Questions that are asked until their owner drops them."""

    def __init__(self, ids: Iterator[int]) -> None:
        self.open: list[Question] = []
        self._ids = ids
        self._coordinators = Coordinators()

    def coordinator_is(self, key: CoordinatorKey, node: int) -> None:
        """Learn of a coordinator."""
        self._coordinators.set(key, node)

    def ask(self, key: CoordinatorKey, make: MakeRequest, now_ms: float) -> Question:
        """Open a question to a coordinator."""
        question = Question(key, make, now_ms)
        self.open.append(question)
        return question

    def drop(self, question: Question) -> None:
        """Close a question: its answer counts, or is not needed."""
        self.open.remove(question)

    def give_up(self) -> None:
        """Ask nothing any more."""
        self.open.clear()
        self._coordinators.give_up()

    def of(self, request: Request) -> Question | None:
        """The question that a request on its way belongs to; None if it was dropped."""
        return next((q for q in self.open if q.in_flight == request.id), None)

    def ask_again(self, question: Question, remedy: Remedy, now_ms: float) -> None:
        """Repeat a question after a pause, to whoever coordinates then."""
        if remedy is Remedy.MOVED:
            self._coordinators.forget(question.coordinator)
        question.ask_again(remedy, now_ms)

    def lose(self, question: Question, now_ms: float, *, sent: bool) -> None:
        """Repeat a question to which no answer came.

        Args:
            question: the question.
            now_ms: the time.
            sent: whether the coordinator may have got it.
        """
        question.in_doubt |= sent
        self.ask_again(question, Remedy.MOVED, now_ms)

    def found(
        self, request: FindCoordinator, response: CoordinatorFound, now_ms: float
    ) -> Judgement:
        """Take the answer to a search."""
        return self._coordinators.receive(request, response, now_ms)

    def not_found(self, request: FindCoordinator, now_ms: float) -> None:
        """Search again, since no answer came."""
        self._coordinators.fail(request, now_ms)

    def take_requests(self, now_ms: float) -> list[Request]:
        """The requests to send now."""
        requests: list[Request] = []
        for question in self.open:
            if question.due_ms > now_ms:
                continue
            node = self._coordinators.node(question.coordinator)
            if node is None:
                self._coordinators.want(question.coordinator, now_ms)
            else:
                requests.append(question.ask(next(self._ids), node))
        return [*requests, *self._coordinators.take_requests(self._ids, now_ms)]

    @property
    def next_time_ms(self) -> float:
        """When something is to be sent; a question without a coordinator waits for that."""
        wanted = self._coordinators.is_wanted
        times = (q.due_ms for q in self.open if not wanted(q.coordinator))
        return min(min(times, default=math.inf), self._coordinators.next_time_ms)
