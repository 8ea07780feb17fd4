"""What a session does about each error code, at each of its requests."""

import pytest

from processor.kafka.transactions.error_codes import ErrorCode, name_of
from processor.kafka.transactions.limits import Limits
from processor.kafka.transactions.outcomes import Aborted, Cause, Committed, Dead, Fate, Reason
from processor.kafka.transactions.requests import (
    AddOffsets,
    AddPartitions,
    CommitOffsets,
    Describe,
    End,
    FindCoordinator,
    Produce,
    RefreshLeaders,
    Request,
)
from processor.kafka.transactions.responses import (
    CoordinatorFound,
    OffsetsCommitted,
    PartitionsAdded,
)
from processor.kafka.transactions.round import Settlement
from processor.kafka.transactions.session import TransactionSession
from processor.kafka.transactions.states import State
from processor.kafka.transactions.values import Ending, Producer, TransactionVersion
from tests.unit.kafka.dialogue import Dialogue, good, refusal
from tests.unit.kafka.sessions import INPUT, P0, P1, V1, V2, batch, round_of, settlement, started

E = ErrorCode
UNHEARD_OF = 32_000
ALL_CODES = [*(code for code in E if code), UNHEARD_OF]

# Asked again after 10 ms, of the same broker.
RETRY = {E.REQUEST_TIMED_OUT, E.THROTTLING_QUOTA_EXCEEDED}
COORDINATOR_RETRY = {*RETRY, E.NETWORK_EXCEPTION, E.COORDINATOR_LOAD_IN_PROGRESS}
COORDINATOR_MOVED = {E.COORDINATOR_NOT_AVAILABLE, E.NOT_COORDINATOR}
EXPECTED: dict[type[Request], dict[str, set[ErrorCode]]] = {
    AddPartitions: {
        "wait": {E.CONCURRENT_TRANSACTIONS},
        "retry": {
            *COORDINATOR_RETRY,
            E.OPERATION_NOT_ATTEMPTED,
            E.UNKNOWN_TOPIC_OR_PARTITION,
        },
        "moved": COORDINATOR_MOVED,
        "abort": {
            E.TOPIC_AUTHORIZATION_FAILED,
            E.GROUP_AUTHORIZATION_FAILED,
            E.TRANSACTION_ABORTABLE,
        },
    },
    Produce: {
        "wait": {E.CONCURRENT_TRANSACTIONS},
        "retry": {
            *RETRY,
            E.CORRUPT_MESSAGE,
            E.COORDINATOR_LOAD_IN_PROGRESS,
            E.COORDINATOR_NOT_AVAILABLE,
            E.NOT_COORDINATOR,
            E.NOT_ENOUGH_REPLICAS,
            E.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
            E.UNKNOWN_LEADER_EPOCH,
        },
        "moved": {
            E.UNKNOWN_TOPIC_OR_PARTITION,
            E.LEADER_NOT_AVAILABLE,
            E.NOT_LEADER_OR_FOLLOWER,
            E.REPLICA_NOT_AVAILABLE,
            E.NETWORK_EXCEPTION,
            E.KAFKA_STORAGE_ERROR,
            E.FENCED_LEADER_EPOCH,
        },
        "abort": {
            E.MESSAGE_TOO_LARGE,
            E.INVALID_TOPIC_EXCEPTION,
            E.RECORD_LIST_TOO_LARGE,
            E.TOPIC_AUTHORIZATION_FAILED,
            E.INVALID_TIMESTAMP,
            E.UNSUPPORTED_FOR_MESSAGE_FORMAT,
            E.POLICY_VIOLATION,
            E.UNSUPPORTED_COMPRESSION_TYPE,
            E.INVALID_RECORD,
            E.TRANSACTION_ABORTABLE,
        },
    },
    CommitOffsets: {
        "wait": {E.CONCURRENT_TRANSACTIONS},
        "retry": {*COORDINATOR_RETRY, E.UNKNOWN_TOPIC_OR_PARTITION, E.NOT_ENOUGH_REPLICAS},
        "moved": COORDINATOR_MOVED,
        "abort": {
            E.OFFSET_METADATA_TOO_LARGE,
            E.ILLEGAL_GENERATION,
            E.INVALID_GROUP_ID,
            E.UNKNOWN_MEMBER_ID,
            E.REBALANCE_IN_PROGRESS,
            E.INVALID_COMMIT_OFFSET_SIZE,
            E.TOPIC_AUTHORIZATION_FAILED,
            E.GROUP_AUTHORIZATION_FAILED,
            E.GROUP_ID_NOT_FOUND,
            E.FENCED_INSTANCE_ID,
            E.FENCED_MEMBER_EPOCH,
            E.STALE_MEMBER_EPOCH,
            E.TRANSACTION_ABORTABLE,
        },
    },
    End: {
        "wait": {E.CONCURRENT_TRANSACTIONS},
        "retry": COORDINATOR_RETRY,
        "moved": COORDINATOR_MOVED,
        "dead": {
            E.OUT_OF_ORDER_SEQUENCE_NUMBER,
            E.INVALID_PRODUCER_EPOCH,
            E.INVALID_TXN_STATE,
            E.INVALID_PRODUCER_ID_MAPPING,
            E.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
            E.UNKNOWN_PRODUCER_ID,
            E.UNSUPPORTED_VERSION,
            E.PRODUCER_FENCED,
        },
    },
}
EXPECTED[AddOffsets] = EXPECTED[AddPartitions]
UNLISTED = dict.fromkeys(EXPECTED, "dead") | {End: "learn"}


def expected(kind: type[Request], code: int) -> str:
    """What must follow."""
    found = [what for what, codes in EXPECTED[kind].items() if code in codes]
    return found[0] if found else UNLISTED[kind]


def observed(session: TransactionSession, dialogue: Dialogue, kind: type[Request]) -> str:
    """What follows, by what the session does."""
    if session.state is State.DEAD:
        return "dead"
    dialogue.take()
    if any(isinstance(request, Describe) for request in dialogue.open):
        return "learn"
    if session.outcome is not None or any(
        isinstance(r, End) and r.ending is Ending.ABORT for r in dialogue.open
    ):
        return "abort"
    if RefreshLeaders in dialogue.kinds():
        return "moved"
    assert not any(isinstance(r, kind) for r in dialogue.open), "it is repeated at once"
    waited_ms = dialogue.wait()
    if FindCoordinator in dialogue.kinds():
        return "moved"
    dialogue.the(kind)
    return {1: "wait", 10: "retry"}[round(waited_ms)]


STEPS = [
    (V1, AddPartitions),
    (V1, AddOffsets),
    (V1, Produce),
    (V2, Produce),
    (V1, CommitOffsets),
    (V2, CommitOffsets),
    (V1, End),
    (V2, End),
]


# A repeat means something else the second time: see the tests of losses.
CASES = [
    pytest.param(version, kind, code, id=f"{version}-{kind.__name__}-{name_of(code)}")
    for version, kind in STEPS
    for code in ALL_CODES
    if (kind, code) != (Produce, E.DUPLICATE_SEQUENCE_NUMBER)
]


@pytest.mark.parametrize(("version", "kind", "code"), CASES)
def test_each_error_code_has_its_remedy(
    version: TransactionVersion, kind: type[Request], code: int
) -> None:
    work = Settlement([], "g", Ending.COMMIT) if kind is AddOffsets else round_of(None)
    if kind is AddPartitions:
        work = round_of(offsets=None)
    session, dialogue = started(version, work, at=kind)
    dialogue.answer(kind, refusal(dialogue.the(kind), code))
    assert observed(session, dialogue, kind) == expected(kind, code)


@pytest.mark.parametrize(("version", "kind"), STEPS)
def test_what_is_repeated_is_committed_in_the_end(
    version: TransactionVersion, kind: type[Request]
) -> None:
    session, dialogue = started(version, at=kind)
    code = E.CONCURRENT_TRANSACTIONS
    for _ in range(3):
        dialogue.answer(kind, refusal(dialogue.the(kind), code))
        dialogue.go_on()
        dialogue.wait()
    dialogue.go_on()
    assert isinstance(session.outcome, Committed)


@pytest.mark.parametrize(("version", "kind"), STEPS)
def test_pauses_for_the_transaction_before_double_up_to_a_bound(
    version: TransactionVersion, kind: type[Request]
) -> None:
    work = round_of(offsets=None) if kind is AddPartitions else round_of()
    if kind is AddOffsets:
        work = round_of({})
    _, dialogue = started(version, work, at=kind)
    waits = []
    for _ in range(7):
        dialogue.answer(kind, refusal(dialogue.the(kind), E.CONCURRENT_TRANSACTIONS))
        dialogue.go_on()
        waits.append(round(dialogue.wait()))
    assert waits == [1, 2, 4, 8, 16, 32, 32]


def test_pauses_for_a_leader_double_up_to_a_bound() -> None:
    _, dialogue = started(V1, at=Produce, limits=Limits(round_timeout_ms=1e6))
    waits = []
    for _ in range(8):
        dialogue.answer(Produce, refusal(dialogue.the(Produce), E.NOT_ENOUGH_REPLICAS))
        waits.append(round(dialogue.wait()))
    assert waits == [10, 20, 40, 80, 160, 320, 500, 500]


def test_pauses_begin_anew_with_the_next_batch() -> None:
    _, dialogue = started(V1, round_of({P0: [batch("a"), batch("b")]}), at=Produce)
    waits = []
    for code in (E.NOT_ENOUGH_REPLICAS, E.CONCURRENT_TRANSACTIONS, E.NONE) * 2:
        dialogue.answer(Produce, refusal(dialogue.the(Produce), code))
        waits.append(round(dialogue.wait()))
    assert waits[:2] == waits[3:5] == [10, 1]


@pytest.mark.parametrize("version", TransactionVersion)
def test_a_refused_round_is_aborted_and_the_session_goes_on(version: TransactionVersion) -> None:
    session, dialogue = started(version, at=CommitOffsets)
    refused = refusal(dialogue.the(CommitOffsets), E.ILLEGAL_GENERATION)
    dialogue.answer(CommitOffsets, refused)
    assert dialogue.the(End).ending is Ending.ABORT
    dialogue.answer(End)
    cause = Cause(Reason.REFUSED, CommitOffsets, E.ILLEGAL_GENERATION, INPUT)
    assert session.outcome == Aborted(cause)
    assert session.state is State.READY
    session.start(round_of(), dialogue.now_ms)
    dialogue.go_on()
    assert isinstance(session.outcome, Committed)


def test_the_markers_of_an_abort_are_waited_for_in_version_2() -> None:
    session, dialogue = started(V2, at=CommitOffsets)
    dialogue.answer(CommitOffsets, refusal(dialogue.the(CommitOffsets), E.ILLEGAL_GENERATION))
    dialogue.answer(End)
    dialogue.answer(Describe, refusal(dialogue.the(Describe), E.COORDINATOR_LOAD_IN_PROGRESS))
    dialogue.wait()
    assert dialogue.kinds() == {Describe}
    assert session.state is State.READY


def test_after_an_abort_sequences_go_on_behind_what_leaders_have() -> None:
    work = round_of({P0: [batch("a", 4)], P1: [batch("b", 3)]}, offsets=None)
    session, dialogue = started(V1, work, at=Produce)
    answer = refusal(dialogue.the(Produce), 0)
    answer.written[P1] = refusal(dialogue.the(Produce), E.MESSAGE_TOO_LARGE).written[P1]  # type: ignore[union-attr, index]
    dialogue.answer(Produce, answer)
    dialogue.go_on()
    assert isinstance(session.outcome, Aborted)
    assert session.outcome.cause is not None
    assert session.outcome.cause.partition == P1
    session.start(work, dialogue.now_ms)
    dialogue.go_on(until=Produce)
    assert [b.base_sequence for b in dialogue.the(Produce).batches] == [4, 0]


@pytest.mark.parametrize("version", TransactionVersion)
def test_an_abort_waits_for_what_is_on_its_way_and_sends_nothing_new(
    version: TransactionVersion,
) -> None:
    session, dialogue = started(version, round_of({P0: [batch("a"), batch("b")], P1: [batch("c")]}))
    session.leaders_are({P0: 4, P1: 5})
    dialogue.go_on(until=Produce)
    first, second = (r for r in dialogue.open if isinstance(r, Produce))
    dialogue.open.clear()
    session.receive(second, refusal(second, E.INVALID_RECORD), 0)
    assert dialogue.take() == []
    session.receive(first, good(first), 0)
    assert dialogue.kinds() == {End}
    assert dialogue.the(End).ending is Ending.ABORT


@pytest.mark.parametrize("version", TransactionVersion)
def test_the_first_refusal_is_the_cause(version: TransactionVersion) -> None:
    session, dialogue = started(version, round_of({P0: [batch("a")], P1: [batch("c")]}))
    session.leaders_are({P0: 4, P1: 5})
    dialogue.go_on(until=Produce)
    first, second = (r for r in dialogue.open if isinstance(r, Produce))
    dialogue.open.clear()
    session.receive(second, refusal(second, E.INVALID_RECORD), 0)
    session.receive(first, refusal(first, E.MESSAGE_TOO_LARGE), 0)
    dialogue.go_on()
    assert session.outcome == Aborted(Cause(Reason.REFUSED, Produce, E.INVALID_RECORD, P1))


def test_nothing_is_ended_where_nothing_has_begun() -> None:
    session, dialogue = started(V1)
    code = E.TOPIC_AUTHORIZATION_FAILED
    dialogue.answer(AddPartitions, refusal(dialogue.the(AddPartitions), code))
    assert session.outcome is None
    dialogue.answer(AddOffsets, refusal(dialogue.the(AddOffsets), E.CONCURRENT_TRANSACTIONS))
    assert isinstance(session.outcome, Aborted)
    assert dialogue.kinds() == set()


def test_what_has_half_begun_is_ended() -> None:
    session, dialogue = started(V1)
    code = E.TOPIC_AUTHORIZATION_FAILED
    dialogue.answer(AddOffsets)
    dialogue.answer(AddPartitions, refusal(dialogue.the(AddPartitions), code))
    assert dialogue.the(End).ending is Ending.ABORT
    assert session.state is State.ENDING


def test_the_gravest_of_several_error_codes_counts() -> None:
    session, dialogue = started(V1, settlement())
    dialogue.answer(AddOffsets)
    codes = {P0: E.OPERATION_NOT_ATTEMPTED, P1: E.TOPIC_AUTHORIZATION_FAILED}
    dialogue.answer(AddPartitions, PartitionsAdded(dict(codes)))
    dialogue.go_on()
    cause = Cause(Reason.REFUSED, AddPartitions, E.TOPIC_AUTHORIZATION_FAILED, P1)
    assert session.outcome == Aborted(cause)


def test_an_answer_about_no_partition_is_none() -> None:
    session, dialogue = started(V1, at=CommitOffsets)
    dialogue.answer(CommitOffsets, OffsetsCommitted({}))
    assert session.state is State.DEAD


def test_a_produce_answer_that_lacks_a_partition_is_no_success() -> None:
    session, dialogue = started(V1, at=Produce)
    dialogue.answer(Produce, type(good(dialogue.the(Produce)))({}))  # type: ignore[arg-type]
    assert session.state is State.DEAD


@pytest.mark.parametrize(
    ("code", "dead"),
    [
        (E.COORDINATOR_NOT_AVAILABLE, False),
        (E.COORDINATOR_LOAD_IN_PROGRESS, False),
        (E.GROUP_AUTHORIZATION_FAILED, True),
        (E.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, True),
    ],
)
def test_a_search_for_a_coordinator_is_repeated_or_refused(code: int, *, dead: bool) -> None:
    session, dialogue = started(V1, at=Produce)
    dialogue.answer(Produce)
    dialogue.answer(FindCoordinator, CoordinatorFound(code))
    cause = Cause(Reason.REFUSED, FindCoordinator, code)
    assert session.outcome == (Dead(cause, Fate.ABORTED) if dead else None)
    if not dead:
        assert dialogue.wait() == 10
        assert dialogue.kinds() == {FindCoordinator}


# Topics that are not known.


@pytest.mark.parametrize(
    ("version", "kind"), [(V1, AddPartitions), (V1, CommitOffsets), (V2, CommitOffsets)]
)
def test_a_topic_that_stays_unknown_to_a_coordinator_aborts(
    version: TransactionVersion, kind: type[Request]
) -> None:
    limits = Limits(missing_topic_ms=200)
    session, dialogue = started(version, round_of(), at=kind, limits=limits)
    while session.state is State.OPEN:
        code = E.UNKNOWN_TOPIC_OR_PARTITION
        dialogue.answer(kind, refusal(dialogue.the(kind), code))
        dialogue.go_on()
        dialogue.wait()
    dialogue.go_on()
    assert isinstance(session.outcome, Aborted)
    assert 200 < dialogue.now_ms < 400


def test_a_topic_is_unknown_without_a_break_or_not_at_all() -> None:
    session, dialogue = started(V2, at=CommitOffsets)
    for _ in range(3):
        for code in (E.UNKNOWN_TOPIC_OR_PARTITION, E.CONCURRENT_TRANSACTIONS):
            dialogue.answer(CommitOffsets, refusal(dialogue.the(CommitOffsets), code))
            dialogue.now_ms += 150
    dialogue.go_on()
    assert isinstance(session.outcome, Committed)


def test_a_topic_that_stays_unknown_to_its_leader_aborts() -> None:
    session, dialogue = started(V2, at=Produce)
    code = E.UNKNOWN_TOPIC_OR_PARTITION
    dialogue.answer(Produce, refusal(dialogue.the(Produce), code))
    dialogue.answer(RefreshLeaders, refusal(dialogue.the(RefreshLeaders), 0))
    dialogue.now_ms = 200
    assert dialogue.kinds() == {RefreshLeaders}
    dialogue.now_ms = 201
    dialogue.answer(RefreshLeaders, refusal(dialogue.the(RefreshLeaders), 0))
    dialogue.go_on()
    assert session.outcome == Aborted(Cause(Reason.REFUSED, Produce, code, P0))


@pytest.mark.parametrize("code", [E.NOT_ENOUGH_REPLICAS, E.NONE])
def test_a_leader_that_knows_the_topic_again_ends_the_count(code: int) -> None:
    session, dialogue = started(V2, round_of({P0: [batch("a"), batch("b")]}), at=Produce)
    for answer in (E.UNKNOWN_TOPIC_OR_PARTITION, code, E.UNKNOWN_TOPIC_OR_PARTITION):
        dialogue.answer(Produce, refusal(dialogue.the(Produce), answer))
        dialogue.now_ms += 150
        dialogue.go_on(until=Produce)
    dialogue.go_on()
    assert isinstance(session.outcome, Committed)


# What a dead session is like.


def test_a_dead_session_asks_for_nothing() -> None:
    session, dialogue = started(V1, at=CommitOffsets)
    dialogue.answer(CommitOffsets, refusal(dialogue.the(CommitOffsets), E.PRODUCER_FENCED))
    death = session.outcome
    assert isinstance(death, Dead)
    assert session.death == death
    assert dialogue.take() == []
    assert session.next_time_ms == float("inf")
    dialogue.now_ms = 1e9
    assert dialogue.take() == []
    assert session.death == session.outcome == death
    with pytest.raises(RuntimeError, match="dead"):
        session.start(round_of(), 0)


def test_a_session_can_die_between_two_rounds_and_leaves_the_outcome_as_it_was() -> None:
    session, dialogue = started(V2, at=End)
    dialogue.answer(End)
    committed = session.outcome
    dialogue.lose(Describe)
    dialogue.wait()
    code = E.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    dialogue.answer(FindCoordinator, CoordinatorFound(code))
    assert session.state is State.DEAD
    assert session.outcome is committed
    assert session.death == Dead(Cause(Reason.REFUSED, FindCoordinator, code), Fate.ABORTED)


@pytest.mark.parametrize("code", [E.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, E.UNSUPPORTED_VERSION])
def test_who_may_not_ask_for_the_markers_goes_on_without(code: int) -> None:
    session, dialogue = started(V2, at=End)
    dialogue.answer(End)
    session.start(round_of(), 0)
    dialogue.answer(Describe, refusal(dialogue.the(Describe), code))
    assert dialogue.kinds() == {Produce}


# Words.


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        (Cause(Reason.LATE), "not done in time"),
        (Cause(Reason.LOST, End), "no answer to End"),
        (Cause(Reason.REFUSED, End, 48), "refused End: INVALID_TXN_STATE"),
        (
            Cause(Reason.REFUSED, Produce, UNHEARD_OF, P1),
            "refused Produce of t/1: error code 32000",
        ),
    ],
)
def test_a_cause_says_what_happened(cause: Cause, text: str) -> None:
    assert str(cause) == text


def test_a_producer_is_told_by_id_and_epoch() -> None:
    assert Producer(1, 2) != Producer(1, 3)
