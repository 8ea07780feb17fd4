"""A question to a coordinator, asked again until an answer counts."""

import math
from collections.abc import Callable
from typing import TypeAlias

from processor.kafka.transactions.backoff import later, soon
from processor.kafka.transactions.errors import Judgement, Remedy
from processor.kafka.transactions.requests import Request
from processor.kafka.transactions.values import CoordinatorKey

MakeRequest: TypeAlias = Callable[[int, int], Request]
"""Makes the request from its id and the node that it is for."""


class Question:
    """One question: which request, to which coordinator, when next."""

    def __init__(self, coordinator: CoordinatorKey, make: MakeRequest, now_ms: float) -> None:
        """Begin with a question that can be asked at once."""
        self.coordinator = coordinator
        self.due_ms = now_ms
        self.in_flight: int | None = None
        """The id of the request that is on its way."""
        self.in_doubt = False
        """Whether a request may have been taken without our knowing."""
        self._make = make
        self._soon = soon()
        self._later = later()
        self._missing_since_ms: float | None = None

    def ask(self, request_id: int, node: int) -> Request:
        """The request for a node; the question is on its way."""
        self.in_flight = request_id
        self.due_ms = math.inf
        return self._make(request_id, node)

    def ask_now(self, now_ms: float) -> None:
        """Ask at once, since the last answer leads to another request."""
        self.in_flight = None
        self.due_ms = now_ms

    def ask_again(self, remedy: Remedy, now_ms: float) -> None:
        """Wait before the next try, as the remedy says."""
        self.in_flight = None
        pause = self._soon if remedy is Remedy.WAIT else self._later
        self.due_ms = now_ms + pause.pause_ms()

    def missing_for_ms(self, judgement: Judgement, now_ms: float) -> float:
        """How long a topic of the question has been unknown without a break."""
        if judgement.remedy is not Remedy.MISSING:
            self._missing_since_ms = None
            return 0.0
        if self._missing_since_ms is None:
            self._missing_since_ms = now_ms
        return now_ms - self._missing_since_ms
