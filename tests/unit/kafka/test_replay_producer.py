"""Putting dead letters back: which notes go with which events, and what is said when it fails."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from processor.errors import CutOff, KafkaUnavailable, RoundAborted, SessionLost
from processor.kafka import replay_producer as module
from processor.kafka.cluster import Cluster
from processor.kafka.replay_producer import ReplayProducer, replay_transactional_id
from processor.kafka.transactions.round import BaseOffsets, Round
from processor.kafka.transactions.values import TopicPartition, TransactionVersion
from processor.kafka.transactions_of_process import KafkaTransactions
from processor.task.ports import Partition
from processor.topics import Topics
from processor.wire.replay import Position, PutBack

TOPICS = Topics()
EVENTS = [TopicPartition(TOPICS.events, stream) for stream in range(2)]
LETTERS = [TopicPartition(TOPICS.dead_letters, stream) for stream in range(2)]


class Transactions:
    """The transactions of a replay, which a test can let fail.

    Attributes:
        base_offsets: where the first batches stand, by partition.
        error: what writing ends with.
    """

    def __init__(self, *_: Any, **options: Any) -> None:
        self.options = options
        self.base_offsets: BaseOffsets = {}
        self.error: Exception | None = None
        self.rounds: list[Round] = []
        self.notes: dict[TopicPartition, int] = {}
        self.acquired: Sequence[Partition] = ()
        self.is_closed = False

    async def acquire(self, written: Sequence[Partition] = ()) -> None:
        """Part of `KafkaTransactions`."""
        self.acquired = written
        if self.error is not None:
            raise self.error

    async def write(self, work: Round) -> BaseOffsets:
        """Part of `KafkaTransactions`."""
        self.rounds.append(work)
        if self.error is not None:
            raise self.error
        assert work.follow_up is not None
        batches = work.follow_up.batches(self.base_offsets)
        assert set(batches) == set(work.follow_up.partitions)
        self.notes = {where: sum(b.records for b in some) for where, some in batches.items()}
        return self.base_offsets

    async def close(self) -> None:
        """Part of `KafkaTransactions`."""
        self.is_closed = True


def producer(transactions: Transactions) -> ReplayProducer:
    """One that writes in these."""
    return ReplayProducer(cast("Cluster", None), cast("KafkaTransactions", transactions), TOPICS)


def put_back(letter: Position, partition: int, size_bytes: int = 1) -> PutBack:
    """A letter for a partition."""
    return PutBack(letter, partition, (b"key", b"x" * size_bytes, []), "")


async def test_events_are_written_and_each_letter_gets_a_note_in_its_partition() -> None:
    transactions = Transactions()
    transactions.base_offsets = {EVENTS[0]: [40], EVENTS[1]: [70]}
    batch = [
        put_back(Position(0, 1), 1),
        put_back(Position(1, 2), 0),
        put_back(Position(0, 3), 1),
    ]
    places = await producer(transactions).put_back(batch)
    assert places == [Position(1, 70), Position(0, 40), Position(1, 71)]
    [work] = transactions.rounds
    written = {where: [one.records for one in some] for where, some in work.batches.items()}
    assert written == {EVENTS[0]: [1], EVENTS[1]: [2]}
    assert transactions.notes == {LETTERS[0]: 2, LETTERS[1]: 1}
    assert set(work.partitions) == {*EVENTS, *LETTERS}


async def test_events_of_more_than_one_batch_stand_behind_each_other() -> None:
    transactions = Transactions()
    transactions.base_offsets = {EVENTS[0]: [10, 12]}
    batch = [put_back(Position(0, number), 0, 120_000) for number in range(3)]
    places = await producer(transactions).put_back(batch)
    assert places == [Position(0, 10), Position(0, 11), Position(0, 12)]


async def test_a_note_says_that_a_place_is_not_known() -> None:
    transactions = Transactions()
    transactions.base_offsets = {EVENTS[0]: [-1]}
    batch = [put_back(Position(0, number), 0) for number in range(2)]
    assert await producer(transactions).put_back(batch) == [Position(0, -1)] * 2


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RoundAborted("no room"), "no room"),
        (SessionLost("no answer"), "no answer"),
        (
            CutOff("refused Produce"),
            "another replay of these topics has begun, and cut this one off",
        ),
        (KafkaUnavailable("refused"), "refused"),
        (TimeoutError(), "Kafka did not answer in time"),
    ],
)
async def test_a_failure_says_that_running_it_again_is_safe(error: Exception, said: str) -> None:
    transactions = Transactions()
    transactions.error = error
    with pytest.raises(KafkaUnavailable, match=f"^{said}; .* run the same again"):
        await producer(transactions).put_back([put_back(Position(0, 1), 0)])


# Opening


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Transactions:
    """The transactions that the next one that is opened has."""
    found = Transactions()

    def make(cluster: object, transactional_id: str, version: object, **options: Any) -> Any:
        found.options = {"id": transactional_id, "version": version, **options}
        return found

    async def version(_: object) -> TransactionVersion:
        return TransactionVersion.V2

    monkeypatch.setattr(module, "KafkaTransactions", make)
    monkeypatch.setattr(module, "transaction_version", version)
    return found


CLUSTER = cast("Cluster", SimpleNamespace(client=None))


async def test_all_replays_of_the_same_topics_have_the_same_id() -> None:
    assert replay_transactional_id(TOPICS) == "live-orders:orders.:replay"
    assert replay_transactional_id(Topics("a.")) != replay_transactional_id(Topics("b."))


async def test_opening_settles_what_another_replay_may_have_left_hanging(
    opened: Transactions,
) -> None:
    async with ReplayProducer.open(CLUSTER, TOPICS, 2):
        assert set(opened.acquired) == {Partition(*where) for where in (*EVENTS, *LETTERS)}
        assert opened.options["id"] == replay_transactional_id(TOPICS)
        assert opened.options["group_id"] is None
        assert not opened.is_closed
    assert opened.is_closed


async def test_one_that_cannot_be_opened_is_closed(opened: Transactions) -> None:
    opened.error = SessionLost("no answer")
    with pytest.raises(SessionLost):
        async with ReplayProducer.open(CLUSTER, TOPICS, 2):
            raise AssertionError("it is open")
    assert opened.is_closed
