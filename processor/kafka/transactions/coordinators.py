"""Which brokers coordinate what."""

import math
from collections.abc import Iterator

from processor.kafka.transactions.backoff import later
from processor.kafka.transactions.errors import Judgement, Remedy, judge
from processor.kafka.transactions.requests import FindCoordinator
from processor.kafka.transactions.responses import CoordinatorFound
from processor.kafka.transactions.values import CoordinatorKey


class _Search:
    """The search for one coordinator."""

    def __init__(self, now_ms: float) -> None:
        self.due_ms = now_ms
        self.pause = later()


class Coordinators:
    """The coordinators that are known, and the searches for those that are not."""

    def __init__(self) -> None:
        self._nodes: dict[CoordinatorKey, int] = {}
        self._searches: dict[CoordinatorKey, _Search] = {}

    def node(self, key: CoordinatorKey) -> int | None:
        """The coordinator, if it is known."""
        return self._nodes.get(key)

    def set(self, key: CoordinatorKey, node: int) -> None:
        """Learn of a coordinator."""
        self._nodes[key] = node
        self._searches.pop(key, None)

    def forget(self, key: CoordinatorKey) -> None:
        """Look it up anew when it is needed next."""
        self._nodes.pop(key, None)

    def give_up(self) -> None:
        """Search no more."""
        self._searches.clear()

    def is_wanted(self, key: CoordinatorKey) -> bool:
        """Whether a search goes on."""
        return key in self._searches

    def want(self, key: CoordinatorKey, now_ms: float) -> None:
        """Search for a coordinator, unless that goes on already."""
        if key not in self._searches:
            self._searches[key] = _Search(now_ms)

    def take_requests(self, ids: Iterator[int], now_ms: float) -> list[FindCoordinator]:
        """The searches that are due."""
        due = [key for key, search in self._searches.items() if search.due_ms <= now_ms]
        for key in due:
            self._searches[key].due_ms = math.inf
        return [FindCoordinator(next(ids), key) for key in due]

    @property
    def next_time_ms(self) -> float:
        """When the next search is due."""
        return min((search.due_ms for search in self._searches.values()), default=math.inf)

    def receive(
        self, request: FindCoordinator, response: CoordinatorFound, now_ms: float
    ) -> Judgement:
        """Take an answer; one that is neither success nor retriable is the caller's to act on."""
        judgement = judge(FindCoordinator, response.error_code)
        if judgement.remedy is Remedy.DONE:
            self.set(request.key, response.node)
        else:
            self.fail(request, now_ms)
        return judgement

    def fail(self, request: FindCoordinator, now_ms: float) -> None:
        """Search again after a pause, since no answer came."""
        search = self._searches.get(request.key)
        if search is not None:
            search.due_ms = now_ms + search.pause.pause_ms()
