"""Transactions of other processes, as their coordinators and leaders tell of them."""

from collections.abc import Sequence
from typing import Any, cast

import pytest
from aiokafka.client import CoordinationType
from aiokafka.errors import (
    CoordinatorNotAvailableError,
    KafkaError,
    TransactionalIdAuthorizationFailed,
)
from aiokafka.protocol.transaction import EndTxnRequest, EndTxnResponse_v0

from processor.kafka.cluster import Cluster
from processor.kafka.other_transactions import abort_seen, find_holders, see_transaction
from processor.kafka.protocol.describe_transactions import DescribeTransactionsResponseV0
from processor.kafka.protocol.end_txn import EndTxnResponseV5, EndTxnV5
from processor.kafka.protocol.open_transactions import (
    DescribeProducersRequest,
    DescribeProducersResponseV0,
    ListTransactionsRequest,
    ListTransactionsResponseV0,
)
from processor.kafka.transactions.values import TransactionVersion
from processor.task.ports import Partition, TransactionView

P0, P1 = Partition("t", 0), Partition("t", 1)
SEEN = TransactionView("app", 7, 3, True, False, frozenset({P0}))
_NEWEST = (0, 99)
_KEY = CoordinationType.TRANSACTION, "app"


class Brokers:
    """A `Cluster` of two brokers, each leading one partition, with prepared answers."""

    def __init__(self, *answers: Any) -> None:
        self.asked: list[tuple[int | None, Any]] = []
        self.forgotten: list[tuple[CoordinationType, str]] = []
        self.client = self.view = self
        self.brokers = {1: None, 2: None}
        self._answers = list(answers)

    async def ask_coordinator(self, kind: CoordinationType, key: str, request: Any) -> Any:
        """Part of `Cluster`."""
        assert (kind, key) == _KEY
        return await self._answer(None, request)

    async def send(self, node: int, request: Any) -> Any:
        """Part of the client."""
        return await self._answer(node, request)

    async def _answer(self, node: int | None, request: Any) -> Any:
        self.asked.append((node, request))
        return self._answers.pop(0)

    def forget_coordinator(self, kind: CoordinationType, key: str) -> None:
        """Part of `Cluster`."""
        self.forgotten.append((kind, key))

    def by_leader(self, partitions: Sequence[Partition]) -> dict[int, list[Partition]]:
        """Part of `Cluster`: node 1 leads partition 0, node 2 partition 1."""
        nodes = sorted({where.partition + 1 for where in partitions})
        return {node: [one for one in partitions if one.partition + 1 == node] for node in nodes}

    def sent(self, number: int = 0) -> Any:
        """A request as it goes over the wire."""
        request = self.asked[number][1]
        return request.prepare({request.API_KEY: _NEWEST})


def cluster(brokers: Brokers) -> Cluster:
    """The brokers, as the code takes them."""
    return cast("Cluster", brokers)


def described(state: str, *, code: int = 0, topics: Sequence[Any] = ()) -> Any:
    """An answer to DescribeTransactions."""
    one: Any = (code, "app", state, 60_000, -1, 7, 3, list(topics), {})
    return DescribeTransactionsResponseV0(0, [one], {})


@pytest.mark.parametrize(
    ("state", "is_open", "is_ending"),
    [
        ("Ongoing", True, False),
        ("PrepareCommit", False, True),
        ("PrepareAbort", False, True),
        ("PrepareEpochFence", False, True),
        ("CompleteCommit", False, False),
        ("CompleteAbort", False, False),
        ("Empty", False, False),
        ("Dead", False, False),
    ],
)
async def test_a_transaction_is_open_ending_or_neither(
    state: str, is_open: bool, is_ending: bool
) -> None:
    topics: list[Any] = [("t", [0, 1], {}), ("u", [4], {})]
    found = await see_transaction(cluster(Brokers(described(state, topics=topics))), "app")
    partitions = frozenset({P0, P1, Partition("u", 4)})
    assert found == TransactionView("app", 7, 3, is_open, is_ending, partitions)


async def test_an_id_that_was_never_used_has_none() -> None:
    brokers = Brokers(described("", code=105))
    found = await see_transaction(cluster(brokers), "app")
    assert found == TransactionView("app", -1, -1, False, False, frozenset())
    assert brokers.forgotten == []


async def test_a_coordinator_that_does_not_say_is_looked_for_anew() -> None:
    brokers = Brokers(described("", code=15))
    with pytest.raises(CoordinatorNotAvailableError):
        await see_transaction(cluster(brokers), "app")
    assert brokers.forgotten == [_KEY]


async def test_it_is_the_id_that_is_asked_for() -> None:
    brokers = Brokers(described("Empty"))
    await see_transaction(cluster(brokers), "app")
    assert brokers.sent().transactional_ids == ["app"]


# Ending


async def test_version_1_aborts_with_the_producer_that_was_seen() -> None:
    brokers = Brokers(EndTxnResponse_v0(0, 0))
    await abort_seen(cluster(brokers), SEEN, TransactionVersion.V1)
    [(_, request)] = brokers.asked
    assert isinstance(request, EndTxnRequest)
    sent = brokers.sent()
    assert (sent.transactional_id, sent.producer_id, sent.producer_epoch) == ("app", 7, 3)
    assert sent.transaction_result is False


async def test_version_2_aborts_with_the_request_that_raises_the_epoch() -> None:
    brokers = Brokers(EndTxnResponseV5(0, 0, 7, 4, {}))
    await abort_seen(cluster(brokers), SEEN, TransactionVersion.V2)
    [(_, request)] = brokers.asked
    assert isinstance(request, EndTxnV5)
    sent = brokers.sent()
    assert (sent.transactional_id, sent.producer_id, sent.producer_epoch) == ("app", 7, 3)
    assert sent.committed is False


@pytest.mark.parametrize("code", [47, 48, 49, 90])
async def test_one_that_has_ended_or_belongs_to_another_owner_is_no_failure(code: int) -> None:
    brokers = Brokers(EndTxnResponse_v0(0, code))
    await abort_seen(cluster(brokers), SEEN, TransactionVersion.V1)
    assert brokers.forgotten == []


@pytest.mark.parametrize(
    ("code", "error"),
    [(15, CoordinatorNotAvailableError), (53, TransactionalIdAuthorizationFailed)],
)
async def test_anything_else_is_a_failure(code: int, error: type[KafkaError]) -> None:
    brokers = Brokers(EndTxnResponse_v0(0, code))
    with pytest.raises(error):
        await abort_seen(cluster(brokers), SEEN, TransactionVersion.V1)
    assert brokers.forgotten == [_KEY]


# Holders


def producers(*found: tuple[int, int], partition: int = 0) -> Any:
    """An answer to DescribeProducers: ids, and where their transactions begin."""
    some: list[Any] = [(producer_id, 0, 0, -1, 0, start, {}) for producer_id, start in found]
    return DescribeProducersResponseV0(0, [("t", [(partition, 0, None, some, {})], {})], {})


def listed(*names: str, code: int = 0) -> Any:
    """An answer to ListTransactions."""
    return ListTransactionsResponseV0(0, code, [], [(name, 1, "Ongoing", {}) for name in names], {})


async def test_holders_are_named_by_the_coordinators_of_open_producers() -> None:
    brokers = Brokers(
        producers((9, 40), (5, -1)), producers((3, 0), (9, 1)), listed("b", "c"), listed("a", "b")
    )
    assert await find_holders(cluster(brokers), [P0, P1]) == ["a", "b", "c"]
    asked = [(node, type(request)) for node, request in brokers.asked]
    assert asked == [
        (1, DescribeProducersRequest),
        (2, DescribeProducersRequest),
        (1, ListTransactionsRequest),
        (2, ListTransactionsRequest),
    ]
    assert brokers.sent(1).topics == [("t", [1], {})]
    assert brokers.sent(2).producer_id_filters == [3, 9]
    assert brokers.sent(2).state_filters == []


async def test_where_nothing_is_open_no_coordinator_is_asked() -> None:
    brokers = Brokers(producers((5, -1)))
    assert await find_holders(cluster(brokers), [P0]) == []
    assert len(brokers.asked) == 1


async def test_a_coordinator_that_does_not_list_is_a_failure() -> None:
    brokers = Brokers(producers((5, 0)), listed("a"), listed(code=15))
    with pytest.raises(CoordinatorNotAvailableError):
        await find_holders(cluster(brokers), [P0])
