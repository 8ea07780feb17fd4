"""What may hang of the last transaction is ended as that one ended, before anything else."""

import asyncio

import pytest

from processor.errors import RoundAborted, SessionLost
from processor.kafka.transactions.requests import End
from processor.kafka.transactions.values import TransactionVersion
from processor.task.ports import Partition
from tests.fakes.transactions import OFFSETS
from tests.unit.kafka.settling import P0, P1, P2, Kafka, refused_work, scripted, work

V1, V2 = TransactionVersion
both = pytest.mark.parametrize("version", TransactionVersion)


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> Kafka:
    """A cluster whose leaders may be away."""
    return scripted(monkeypatch)


@both
async def test_a_committed_round_that_hangs_is_committed_before_the_next_one(
    kafka: Kafka, version: TransactionVersion
) -> None:
    transactions = kafka.transactions(version)
    await transactions.acquire()
    kafka.away = {P0}
    await transactions.write(work("hangs"))
    assert kafka.brokers.read(P0) == []
    kafka.away, kafka.doubts = set(), 1
    with pytest.raises(RoundAborted):
        await transactions.write(refused_work("aborted"))
    assert kafka.brokers.read(P0) == ["hangs"]
    assert not kafka.brokers.has_open_records


@both
async def test_an_aborted_round_that_hangs_is_aborted_before_the_next_one(
    kafka: Kafka, version: TransactionVersion
) -> None:
    transactions = kafka.transactions(version)
    await transactions.acquire()
    kafka.away = {P0}
    with pytest.raises(RoundAborted):
        await transactions.write(refused_work("hangs"))
    kafka.away, kafka.doubts = set(), 1
    await transactions.write(work("next"))
    assert kafka.brokers.read(P0) == ["next"]


@both
async def test_an_offset_that_hangs_is_committed_too(
    kafka: Kafka, version: TransactionVersion
) -> None:
    transactions = kafka.transactions(version)
    await transactions.acquire()
    kafka.away = {OFFSETS}
    await transactions.write(work("one", offset=5))
    assert kafka.brokers.committed == {}
    kafka.away, kafka.doubts = set(), 1
    with pytest.raises(RoundAborted):
        await transactions.write(refused_work("aborted"))
    assert [one.offset for one in kafka.brokers.committed.values()] == [5]


async def test_it_is_settled_where_the_last_round_wrote_once_its_leaders_are_there(
    kafka: Kafka,
) -> None:
    transactions = kafka.transactions(V2)
    await transactions.acquire()
    await transactions.write(work("one", at=P1))
    await transactions.write(work("two", at=P0))
    kafka.doubts = 1
    await transactions.write(work("three", at=P2))
    assert kafka.settled == [{P0}]
    assert kafka.waited_for == [{Partition(*P0)}]


async def test_it_is_settled_once_for_each_doubt(kafka: Kafka) -> None:
    transactions = kafka.transactions(V2)
    await transactions.acquire()
    for number in range(3):
        await transactions.write(work(f"{number}"))
    assert kafka.settled == []
    kafka.doubts = 4
    for number in range(3, 6):
        await transactions.write(work(f"{number}"))
    assert kafka.settled == [{P0}]
    assert kafka.brokers.read(P0) == [f"{number}" for number in range(6)]


async def test_a_doubt_that_comes_up_while_it_is_settled_is_settled_as_well(kafka: Kafka) -> None:
    transactions = kafka.transactions(V2)
    await transactions.acquire()
    await transactions.write(work("one"))
    kafka.doubts, kafka.doubts_while_waiting = 1, 2
    await transactions.write(work("two"))
    assert kafka.settled == [{P0}] * 3
    assert kafka.brokers.read(P0) == ["one", "two"]


async def test_a_doubt_from_before_the_first_round_is_nobodys(kafka: Kafka) -> None:
    transactions = kafka.transactions(V2)
    kafka.doubts = 1
    await transactions.acquire()
    kafka.doubts = 2
    await transactions.write(work("one"))
    assert kafka.settled == []


async def test_a_round_that_cannot_be_settled_is_not_written(kafka: Kafka) -> None:
    transactions = kafka.transactions(V1)
    await transactions.acquire()
    kafka.away = {P0}
    await transactions.write(work("hangs"))
    kafka.away, kafka.doubts = set(), 1
    other = kafka.transactions(V1)
    await other.acquire()
    with pytest.raises(SessionLost):
        await transactions.write(work("never"))
    assert "never" not in {kafka.brokers.name_at(P0, at) for at in range(kafka.brokers.ends(P0)[1])}


# Taking over


@both
async def test_what_hangs_of_the_last_owner_is_committed_by_the_next(
    kafka: Kafka, version: TransactionVersion
) -> None:
    last = kafka.transactions(version)
    await last.acquire()
    kafka.away = {P0}
    await last.write(work("hangs"))
    kafka.away = set()
    following = kafka.transactions(version)
    await following.acquire([Partition(*P0), Partition(*P1)])
    assert kafka.settled[-1] == {P0}
    assert kafka.brokers.read(P0) == ["hangs"]
    with pytest.raises(RoundAborted):
        await following.write(refused_work("aborted"))
    assert kafka.brokers.read(P0) == ["hangs"]


@both
async def test_what_hangs_of_the_last_owner_is_aborted_by_the_next(
    kafka: Kafka, version: TransactionVersion
) -> None:
    last = kafka.transactions(version)
    await last.acquire()
    kafka.away = {P0}
    with pytest.raises(RoundAborted):
        await last.write(refused_work("hangs"))
    kafka.away = set()
    following = kafka.transactions(version)
    await following.acquire([Partition(*P0)])
    assert not kafka.brokers.has_open_records
    await following.write(work("next"))
    assert kafka.brokers.read(P0) == ["next"]


@both
async def test_what_hangs_of_a_round_that_was_given_up_is_ended_as_it_ended(
    kafka: Kafka, version: TransactionVersion
) -> None:
    transactions = kafka.transactions(version)
    await transactions.acquire()
    kafka.away, kafka.stalls = {P0}, End
    writing = asyncio.create_task(transactions.write(work("hangs")))
    await kafka.stalled.wait()
    writing.cancel()
    await asyncio.wait([writing])
    assert writing.cancelled()
    kafka.away, kafka.stalls = set(), None
    with pytest.raises(SessionLost):
        await transactions.write(work("never"))
    await transactions.acquire()
    assert kafka.settled[-1] == {P0}
    assert kafka.brokers.read(P0) == ["hangs"]


async def test_nothing_is_settled_where_nothing_hangs(kafka: Kafka) -> None:
    last = kafka.transactions(V2)
    await last.acquire()
    await last.write(work("one"))
    await kafka.transactions(V2).acquire([Partition(*P0)])
    assert kafka.offsets_asked[-1] == {Partition(*P0)}
    assert kafka.settled == []


async def test_nothing_is_asked_of_an_id_that_was_never_used(kafka: Kafka) -> None:
    await kafka.transactions(V2).acquire([Partition(*P0)])
    assert kafka.offsets_asked == []


async def test_nothing_is_asked_where_nothing_was_written(kafka: Kafka) -> None:
    await kafka.transactions(V2).acquire()
    await kafka.transactions(V2).acquire()
    assert kafka.offsets_asked == []


async def test_what_was_settled_on_acquiring_is_not_settled_again(kafka: Kafka) -> None:
    transactions = kafka.transactions(V2)
    await transactions.acquire()
    await transactions.write(work("one"))
    await transactions.acquire()
    kafka.doubts = 1
    await transactions.write(work("two", at=P1))
    assert kafka.settled == []
