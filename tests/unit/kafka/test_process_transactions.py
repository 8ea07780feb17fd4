"""The port `Transactions` on the sessions of a process: outcomes, errors, and who owns the id."""

import asyncio

import pytest

from processor.errors import CutOff, KafkaUnavailable, RoundAborted, SessionLost
from processor.kafka.transactions.error_codes import ErrorCode
from processor.kafka.transactions.requests import CommitOffsets, End, InitProducerId, Produce
from processor.kafka.transactions.responses import (
    Ended,
    OffsetsCommitted,
    Produced,
    ProducerIdGiven,
    Written,
)
from processor.kafka.transactions.round import Round
from processor.kafka.transactions.values import Producer, TopicPartition, TransactionVersion
from processor.kafka.transactions_of_process import KafkaRound, batches_of
from processor.task.ports import Membership, Partition
from processor.wire.record import Record
from tests.unit.kafka.settling import GROUP, INPUT, P0, P1, Kafka, refused_work, scripted, work

V2 = TransactionVersion.V2
E = ErrorCode
ME = Membership("member", 1)
EVENTS = Partition(*INPUT)
RECORD: Record = (b"key", b"value", [])


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> Kafka:
    """A cluster in memory."""
    return scripted(monkeypatch)


# Rounds


def test_a_round_is_cut_into_batches_of_a_quarter_of_a_megabyte() -> None:
    filled, where = KafkaRound(), Partition("t", 0)
    records: list[Record] = [(b"%d" % number, b"x" * 1000, []) for number in range(600)]
    added = filled.add(where, records[:300]) + filled.add(where, records[300:])
    sizes = [one.size_bytes for one in filled.batches[where]]
    assert len(sizes) == 3
    assert max(sizes) <= 256 * 1024
    assert sum(one.records for one in filled.batches[where]) == 600
    # Each batch but the last is full.
    assert min(sizes[:-1]) > 256 * 1024 - 1100
    assert added == filled.size_bytes
    assert 0 <= sum(sizes) - added < 3 * 100


def test_records_as_batches() -> None:
    assert batches_of([]) == []
    [batch] = batches_of([RECORD, RECORD])
    assert batch.records == 2


async def test_the_ends_are_those_of_the_last_batches_where_they_are_known(kafka: Kafka) -> None:
    transactions = kafka.transactions(V2)
    await transactions.acquire()
    filled = transactions.new_round()
    filled.add(Partition(*P0), [RECORD] * 3)
    filled.add(Partition(*P1), [RECORD])
    kafka.refuses[Produce] = Produced({P0: Written(0, 40), P1: Written(0, -1)})
    kafka.refuses[End] = Ended(0, Producer(1000, 1))
    assert await transactions.commit(filled, {}, None) == {Partition(*P0): 43}


async def test_offsets_are_committed_as_the_member_that_the_process_is(kafka: Kafka) -> None:
    transactions = kafka.transactions(V2)
    await transactions.acquire()
    filled = transactions.new_round()
    await transactions.commit(filled, {EVENTS: 8, Partition("in", 1): 9}, ME)
    [request] = [one for one in kafka.asked if isinstance(one, CommitOffsets)]
    offsets = request.offsets
    assert (offsets.group_id, offsets.member_id, offsets.generation) == (GROUP, "member", 1)
    assert offsets.group_instance_id is None
    found = {where: one.offset for where, one in offsets.offsets.items()}
    assert found == {INPUT: 8, TopicPartition("in", 1): 9}


@pytest.mark.parametrize("membership", [None, Membership("", -1), Membership("", 1)])
async def test_offsets_of_nobody_are_never_sent(kafka: Kafka, membership: Membership) -> None:
    transactions = kafka.transactions(V2)
    await transactions.acquire()
    with pytest.raises(AssertionError):
        await transactions.commit(transactions.new_round(), {EVENTS: 8}, membership)


async def test_offsets_without_a_group_are_never_sent(kafka: Kafka) -> None:
    transactions = kafka.transactions(V2, group_id=None)
    await transactions.acquire()
    with pytest.raises(AssertionError):
        await transactions.commit(transactions.new_round(), {EVENTS: 8}, ME)


# Errors


async def test_a_round_that_is_aborted_says_why_and_the_next_one_is_written(kafka: Kafka) -> None:
    transactions = kafka.transactions(V2)
    await transactions.acquire()
    with pytest.raises(RoundAborted, match="a transaction of app: refused CommitOffsets"):
        await transactions.write(refused_work("aborted"))
    await transactions.write(work("next"))
    assert kafka.brokers.read(P0) == ["next"]


async def test_a_record_that_is_too_large_says_what_to_do(kafka: Kafka) -> None:
    transactions = kafka.transactions(V2)
    await transactions.acquire()
    kafka.refuses[Produce] = Produced({P0: Written(E.MESSAGE_TOO_LARGE)})
    said = "^t refuses what is written to it, .*max.message.bytes .*topics check"
    with pytest.raises(RoundAborted, match=said):
        await transactions.write(work("large"))


@pytest.mark.parametrize("code", [E.TOPIC_AUTHORIZATION_FAILED])
async def test_a_refused_topic_is_a_refusal_by_kafka(kafka: Kafka, code: int) -> None:
    transactions = kafka.transactions(V2)
    await transactions.acquire()
    kafka.refuses[Produce] = Produced({P0: Written(code)})
    with pytest.raises(KafkaUnavailable, match="Kafka refuses a transaction of app"):
        await transactions.write(work("refused"))


async def test_a_refused_group_is_a_refusal_by_kafka(kafka: Kafka) -> None:
    transactions = kafka.transactions(V2)
    await transactions.acquire()
    kafka.refuses[CommitOffsets] = OffsetsCommitted({INPUT: E.GROUP_AUTHORIZATION_FAILED})
    with pytest.raises(KafkaUnavailable, match="Kafka refuses a transaction of app"):
        await transactions.write(work("refused", offset=1))


async def test_a_refused_id_is_a_refusal_by_kafka(kafka: Kafka) -> None:
    kafka.refuses[InitProducerId] = ProducerIdGiven(E.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    with pytest.raises(KafkaUnavailable, match="Kafka refuses a transaction of app"):
        await kafka.transactions(V2).acquire()


async def test_an_owner_that_was_cut_off_writes_nothing_until_it_owns_the_id_again(
    kafka: Kafka,
) -> None:
    first, second = kafka.transactions(V2), kafka.transactions(V2)
    await first.acquire()
    await second.acquire()
    with pytest.raises(CutOff):
        await first.write(work("never"))
    with pytest.raises(SessionLost, match="app is not owned"):
        await first.write(work("never"))
    await first.acquire()
    await first.write(work("first"))
    with pytest.raises(CutOff):
        await second.write(work("never"))
    assert kafka.brokers.read(P0) == ["first"]


async def test_an_id_that_is_not_given_in_time_is_a_lost_session(kafka: Kafka) -> None:
    kafka.stalls = InitProducerId
    with pytest.raises(SessionLost, match="acquiring app: TimeoutError"):
        await kafka.transactions(V2, timeout_ms=10).acquire()


async def test_a_round_that_is_not_done_in_time_is_a_lost_session(kafka: Kafka) -> None:
    transactions = kafka.transactions(V2, timeout_ms=50)
    await transactions.acquire()
    kafka.stalls = Produce
    with pytest.raises(SessionLost):
        await transactions.write(work("late"))
    with pytest.raises(SessionLost, match="app is not owned"):
        await transactions.write(work("never"))


async def test_whoever_is_cancelled_owns_the_id_no_more(kafka: Kafka) -> None:
    transactions = kafka.transactions(V2)
    await transactions.acquire()
    kafka.stalls = Produce
    writing = asyncio.create_task(transactions.write(work("cancelled")))
    await kafka.stalled.wait()
    writing.cancel()
    await asyncio.wait([writing])
    kafka.stalls = None
    with pytest.raises(SessionLost, match="app is not owned"):
        await transactions.write(work("never"))
    await transactions.acquire()
    await transactions.write(work("kept"))
    assert kafka.brokers.read(P0) == ["kept"]


async def test_nobody_writes_while_the_id_is_acquired_again(kafka: Kafka) -> None:
    transactions = kafka.transactions(V2)
    await transactions.acquire()
    kafka.stalls = InitProducerId
    acquiring = asyncio.create_task(transactions.acquire())
    await kafka.stalled.wait()
    with pytest.raises(SessionLost, match="app is not owned"):
        await transactions.write(work("never"))
    acquiring.cancel()
    await asyncio.wait([acquiring])


async def test_an_id_that_was_closed_is_owned_no_more(kafka: Kafka) -> None:
    transactions = kafka.transactions(V2)
    await transactions.acquire()
    await transactions.close()
    with pytest.raises(SessionLost, match="app is not owned"):
        await transactions.write(work("never"))


async def test_a_round_with_nothing_in_it_asks_for_nothing(kafka: Kafka) -> None:
    transactions = kafka.transactions(V2)
    await transactions.acquire()
    before = len(kafka.asked)
    assert await transactions.write(Round()) == {}
    assert len(kafka.asked) == before
