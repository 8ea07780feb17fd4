"""What a session does when no answer comes, and when time is up."""

import math

import pytest

from processor.kafka.transactions.error_codes import ErrorCode
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
    Described,
    Ended,
    LeadersFound,
    Produced,
    Written,
)
from processor.kafka.transactions.session import TransactionSession
from processor.kafka.transactions.states import State
from processor.kafka.transactions.values import Ending, Producer, TransactionVersion
from tests.unit.kafka.dialogue import COORDINATOR, LEADER, Dialogue, good, refusal
from tests.unit.kafka.sessions import LIMITS, P0, P1, V1, V2, batch, round_of, settlement, started

E = ErrorCode
LOST = Cause(Reason.LOST, End)
LATE = Cause(Reason.LATE)


@pytest.mark.parametrize("sent", [True, False])
@pytest.mark.parametrize(
    ("version", "kind"),
    [
        (V1, AddPartitions),
        (V1, AddOffsets),
        (V1, Produce),
        (V2, Produce),
        (V1, CommitOffsets),
        (V2, CommitOffsets),
        (V2, End),
        (V2, Describe),
    ],
)
def test_what_is_lost_is_sent_again_to_whoever_it_is_for_then(
    version: TransactionVersion, kind: type[Request], *, sent: bool
) -> None:
    session, dialogue = started(version, at=kind)
    (dialogue.lose if sent else dialogue.unsend)(kind)
    dialogue.take()
    assert not any(isinstance(request, kind) for request in dialogue.open)
    if kind is Produce:
        dialogue.answer(RefreshLeaders, LeadersFound({P0: 8}))
        assert dialogue.wait() == 10
    else:
        dialogue.wait()
        dialogue.answer(FindCoordinator, CoordinatorFound(0, 8))
    request = dialogue.the(kind)
    assert getattr(request, "node") == 8  # noqa: B009 # every kind but two has it
    dialogue.go_on()
    assert isinstance(session.outcome, Committed)


def test_a_lost_batch_is_sent_again_with_its_sequence_before_those_behind_it() -> None:
    _, dialogue = started(V1, round_of({P0: [batch("a", 3), batch("b")]}), at=Produce)
    dialogue.answer(Produce)
    before = dialogue.the(Produce).batches
    dialogue.lose(Produce)
    dialogue.go_on(until=Produce)
    dialogue.wait()
    assert dialogue.the(Produce).batches == before
    assert before[0].base_sequence == 3


@pytest.mark.parametrize(
    ("code", "again"),
    [
        (E.NOT_LEADER_OR_FOLLOWER, True),
        (E.REQUEST_TIMED_OUT, True),
        (E.NOT_ENOUGH_REPLICAS_AFTER_APPEND, True),
        (E.CONCURRENT_TRANSACTIONS, False),
    ],
)
def test_a_repeat_counts_as_success_if_the_leader_may_have_the_batch(
    code: int, *, again: bool
) -> None:
    session, dialogue = started(V1, at=Produce)
    dialogue.answer(Produce, refusal(dialogue.the(Produce), code))
    dialogue.go_on()
    dialogue.wait()
    duplicate = refusal(dialogue.the(Produce), E.DUPLICATE_SEQUENCE_NUMBER)
    dialogue.answer(Produce, duplicate)
    dialogue.go_on()
    assert (session.outcome == Committed({P0: (-1,)})) is again
    assert (session.state is State.DEAD) is not again


@pytest.mark.parametrize("sent", [True, False])
def test_a_repeat_after_a_loss_counts_if_the_batch_was_sent(*, sent: bool) -> None:
    session, dialogue = started(V1, at=Produce)
    (dialogue.lose if sent else dialogue.unsend)(Produce)
    dialogue.go_on()
    dialogue.wait()
    dialogue.answer(Produce, refusal(dialogue.the(Produce), E.DUPLICATE_SEQUENCE_NUMBER))
    dialogue.go_on()
    assert isinstance(session.outcome, Committed) is sent


def test_the_doubt_about_a_batch_is_not_handed_on_to_the_next() -> None:
    session, dialogue = started(V1, round_of({P0: [batch("a"), batch("b")]}), at=Produce)
    dialogue.lose(Produce)
    dialogue.go_on()
    dialogue.wait()
    dialogue.answer(Produce)
    dialogue.answer(Produce, refusal(dialogue.the(Produce), E.DUPLICATE_SEQUENCE_NUMBER))
    assert session.state is State.DEAD


def test_a_batch_that_nobody_has_sent_cannot_be_a_repeat() -> None:
    session, dialogue = started(V1, at=Produce)
    dialogue.answer(Produce, refusal(dialogue.the(Produce), E.DUPLICATE_SEQUENCE_NUMBER))
    assert session.state is State.DEAD


def test_a_leader_that_is_busy_gets_nothing_until_its_answer_is_there_or_lost() -> None:
    session, dialogue = started(V2, round_of({P0: [batch("a")], P1: [batch("b", 1, 1000)]}))
    first = dialogue.the(Produce)
    dialogue.lose(Produce)
    session.leaders_are({P0: LEADER})
    second = dialogue.the(Produce)
    assert [[b.partition for b in r.batches] for r in (first, second)] == [[P0], [P1]]
    dialogue.now_ms = 50
    assert dialogue.take() == []
    dialogue.answer(Produce)
    assert [b.partition for b in dialogue.the(Produce).batches] == [P0]


def test_a_batch_that_is_on_its_way_is_not_sent_to_a_new_leader() -> None:
    session, dialogue = started(V2, at=Produce)
    session.leaders_are({P0: 8})
    assert dialogue.take() == []
    assert session.next_time_ms == LIMITS.round_timeout_ms
    dialogue.lose(Produce)
    dialogue.answer(RefreshLeaders, LeadersFound({P0: 8}))
    dialogue.wait()
    assert dialogue.the(Produce).node == 8


def test_an_answer_that_comes_twice_changes_nothing() -> None:
    session, dialogue = started(V1, round_of({P0: [batch("a"), batch("b")]}), at=Produce)
    request = dialogue.the(Produce)
    dialogue.answer(Produce)
    session.receive(request, good(request), 0)
    session.lost(request, 0)
    dialogue.the(Produce)
    assert session.outcome is None
    dialogue.go_on()
    assert session.outcome == Committed({P0: (100, 100)})


@pytest.mark.parametrize("version", TransactionVersion)
def test_an_answer_to_a_question_that_was_lost_changes_nothing(version: TransactionVersion) -> None:
    session, dialogue = started(version, at=CommitOffsets)
    request = dialogue.the(CommitOffsets)
    dialogue.lose(CommitOffsets)
    session.receive(request, good(request), 0)
    session.unsent(request, 0)
    dialogue.wait()
    dialogue.answer(FindCoordinator)
    dialogue.the(CommitOffsets)


def test_an_answer_after_the_round_changes_nothing() -> None:
    session, dialogue = started(V2, at=Produce)
    request = dialogue.the(Produce)
    dialogue.go_on()
    session.receive(request, Produced({P0: Written(E.PRODUCER_FENCED)}), 0)
    session.lost(request, 0)
    assert session.state is State.READY


@pytest.mark.parametrize("kind", [Produce, CommitOffsets, End])
def test_an_answer_after_the_death_changes_nothing(kind: type[Request]) -> None:
    session, dialogue = started(V1, at=kind)
    request = dialogue.the(kind)
    dialogue.now_ms = LIMITS.round_timeout_ms
    dialogue.take()
    death = session.death
    session.receive(request, refusal(request, E.PRODUCER_FENCED), dialogue.now_ms)
    session.receive(request, good(request), dialogue.now_ms)
    session.lost(request, dialogue.now_ms)
    assert (session.state, session.outcome, session.death) == (State.DEAD, death, death)


# Ends without an answer.


def test_version_2_repeats_an_end_and_goes_on_with_the_producer_that_is_told_then() -> None:
    session, dialogue = started(V2, at=End)
    first = dialogue.the(End)
    dialogue.lose(End)
    dialogue.wait()
    dialogue.answer(FindCoordinator)
    second = dialogue.the(End)
    assert (second.producer, second.ending) == (first.producer, first.ending)
    dialogue.answer(End, Ended(0, Producer(7, 4)))
    assert isinstance(session.outcome, Committed)
    assert session.producer == Producer(7, 4)


def test_version_1_asks_how_a_commit_went_and_does_not_repeat_it() -> None:
    session, dialogue = started(V1, at=End)
    dialogue.lose(End)
    assert session.state is State.ENDING
    dialogue.answer(FindCoordinator)
    assert dialogue.kinds() == {Describe}


@pytest.mark.parametrize(
    ("state", "producer", "outcome"),
    [
        ("CompleteCommit", Producer(7, 3), Committed({P0: (100,)})),
        ("PrepareCommit", Producer(7, 3), Committed({P0: (100,)})),
        ("CompleteAbort", Producer(7, 3), Dead(LOST, Fate.ABORTED)),
        ("PrepareAbort", Producer(7, 3), Dead(LOST, Fate.ABORTED)),
        ("Ongoing", Producer(7, 3), Dead(LOST, Fate.UNKNOWN)),
        ("Empty", Producer(7, 3), Dead(LOST, Fate.UNKNOWN)),
        ("CompleteCommit", Producer(7, 4), Dead(LOST, Fate.UNKNOWN)),
        ("CompleteAbort", Producer(7, 4), Dead(LOST, Fate.UNKNOWN)),
        ("CompleteCommit", Producer(8, 3), Dead(LOST, Fate.UNKNOWN)),
    ],
)
def test_a_lost_commit_of_version_1_is_what_the_coordinator_says(
    state: str, producer: Producer, outcome: Committed | Dead
) -> None:
    session, dialogue = started(V1, at=End)
    dialogue.lose(End)
    dialogue.answer(FindCoordinator)
    dialogue.answer(Describe, Described(0, state, producer))
    assert session.outcome == outcome
    assert (session.state is State.READY) is isinstance(outcome, Committed)


def test_the_question_how_it_went_is_asked_until_it_is_answered() -> None:
    session, dialogue = started(V1, at=End)
    dialogue.lose(End)
    dialogue.lose(FindCoordinator)
    dialogue.wait()
    dialogue.answer(FindCoordinator)
    dialogue.lose(Describe)
    dialogue.wait()
    dialogue.answer(FindCoordinator)
    dialogue.answer(Describe, Described(E.COORDINATOR_LOAD_IN_PROGRESS))
    dialogue.wait()
    dialogue.answer(Describe)
    assert isinstance(session.outcome, Committed)


@pytest.mark.parametrize("code", [E.UNSUPPORTED_VERSION, E.TRANSACTIONAL_ID_NOT_FOUND])
def test_how_it_went_can_remain_unknown(code: int) -> None:
    session, dialogue = started(V1, at=End)
    dialogue.lose(End)
    dialogue.answer(FindCoordinator)
    dialogue.answer(Describe, Described(code))
    assert session.outcome == Dead(LOST, Fate.UNKNOWN)


def test_an_end_that_was_not_sent_is_sent_again_in_version_1_too() -> None:
    session, dialogue = started(V1, at=End)
    dialogue.unsend(End)
    dialogue.wait()
    dialogue.answer(FindCoordinator)
    dialogue.answer(End)
    assert isinstance(session.outcome, Committed)


def test_of_several_ends_of_version_1_one_may_still_arrive() -> None:
    session, dialogue = started(V1, at=End)
    dialogue.answer(End, Ended(E.NOT_COORDINATOR))
    dialogue.wait()
    dialogue.answer(FindCoordinator)
    dialogue.lose(End)
    dialogue.answer(FindCoordinator)
    dialogue.answer(Describe)
    assert session.outcome == Dead(LOST, Fate.COMMITTED)


def test_a_lost_abort_of_version_1_is_the_end_of_the_session() -> None:
    session, dialogue = started(V1, settlement(Ending.ABORT), at=End)
    dialogue.lose(End)
    assert session.outcome == Dead(LOST, Fate.ABORTED)


def test_a_lost_abort_of_version_2_is_repeated() -> None:
    session, dialogue = started(V2, at=CommitOffsets)
    dialogue.answer(CommitOffsets, refusal(dialogue.the(CommitOffsets), E.UNKNOWN_MEMBER_ID))
    dialogue.lose(End)
    dialogue.wait()
    dialogue.answer(FindCoordinator)
    assert dialogue.the(End).ending is Ending.ABORT
    dialogue.answer(End)
    assert isinstance(session.outcome, Aborted)


def test_a_settlement_whose_end_is_lost_is_learnt_and_then_waited_for_in_version_2() -> None:
    session, dialogue = started(V2, settlement(), at=End)
    dialogue.lose(End)
    dialogue.answer(FindCoordinator)
    dialogue.answer(Describe, Described(0, "PrepareCommit", Producer(7, 3)))
    assert session.outcome == Committed({})
    dialogue.answer(Describe, Described(0, "PrepareCommit", Producer(7, 3)))
    assert dialogue.wait() == 1


@pytest.mark.parametrize("version", TransactionVersion)
@pytest.mark.parametrize("code", [E.INVALID_TXN_STATE, E.PRODUCER_FENCED])
def test_a_commit_that_is_refused_at_once_has_not_happened(
    version: TransactionVersion, code: int
) -> None:
    session, dialogue = started(version, at=End)
    dialogue.answer(End, Ended(code))
    assert session.outcome == Dead(Cause(Reason.REFUSED, End, code), Fate.ABORTED)


@pytest.mark.parametrize(
    ("version", "state", "epoch", "fate"),
    [
        (V1, "CompleteCommit", 3, Fate.COMMITTED),
        (V1, "CompleteAbort", 3, Fate.ABORTED),
        (V1, "CompleteAbort", 4, Fate.UNKNOWN),
        (V2, "CompleteCommit", 4, Fate.COMMITTED),
        (V2, "PrepareCommit", 4, Fate.COMMITTED),
        (V2, "CompleteAbort", 4, Fate.ABORTED),
        (V2, "CompleteCommit", 3, Fate.UNKNOWN),
        (V2, "Empty", 5, Fate.UNKNOWN),
    ],
)
def test_the_fate_of_a_commit_that_is_refused_the_second_time_is_learnt(
    version: TransactionVersion, state: str, epoch: int, fate: Fate
) -> None:
    session, dialogue = started(version, at=End)
    dialogue.answer(End, Ended(E.REQUEST_TIMED_OUT))
    dialogue.wait()
    dialogue.answer(End, Ended(E.PRODUCER_FENCED))
    dialogue.answer(Describe, Described(0, state, Producer(7, epoch)))
    assert session.outcome == Dead(Cause(Reason.REFUSED, End, E.PRODUCER_FENCED), fate)


def test_a_session_goes_on_after_it_has_learnt_of_a_commit() -> None:
    session, dialogue = started(V1, at=End)
    dialogue.lose(End)
    dialogue.answer(FindCoordinator)
    dialogue.answer(Describe)
    session.start(round_of(), dialogue.now_ms)
    assert dialogue.kinds() == {AddPartitions, AddOffsets}


# Rounds that are given up in doubt.


@pytest.mark.parametrize("version", TransactionVersion)
def test_a_batch_in_doubt_ends_a_session_of_version_1_when_the_round_is_aborted(
    version: TransactionVersion,
) -> None:
    session, dialogue = started(version, round_of({P0: [batch("a")], P1: [batch("b")]}))
    session.leaders_are({P0: 4, P1: 5})
    dialogue.go_on(until=Produce)
    first, second = (r for r in dialogue.open if isinstance(r, Produce))
    dialogue.open.clear()
    session.lost(first, 0)
    session.receive(second, refusal(second, E.INVALID_RECORD), 0)
    cause = Cause(Reason.REFUSED, Produce, E.INVALID_RECORD, P1)
    if version is V1:
        assert session.outcome == Dead(cause, Fate.ABORTED)
    else:
        dialogue.open = [r for r in dialogue.take() if isinstance(r, End)]
        dialogue.answer(End)
        assert session.outcome == Aborted(cause)


def test_an_abort_goes_on_when_what_was_on_its_way_is_lost() -> None:
    session, dialogue = started(V2, round_of({P0: [batch("a")], P1: [batch("b")]}))
    session.leaders_are({P0: 4, P1: 5})
    dialogue.go_on(until=Produce)
    first, second = (r for r in dialogue.open if isinstance(r, Produce))
    dialogue.open.clear()
    session.receive(second, refusal(second, E.INVALID_RECORD), 0)
    session.lost(first, 0)
    assert dialogue.the(End).ending is Ending.ABORT


def test_a_beginning_in_doubt_ends_a_session_when_the_round_is_aborted() -> None:
    session, dialogue = started(V1)
    dialogue.lose(AddOffsets)
    code = E.TOPIC_AUTHORIZATION_FAILED
    dialogue.answer(AddPartitions, refusal(dialogue.the(AddPartitions), code))
    assert session.state is State.DEAD


def test_offsets_in_doubt_end_a_session_of_version_1_when_the_round_is_aborted() -> None:
    session, dialogue = started(V1, at=CommitOffsets)
    dialogue.lose(CommitOffsets)
    dialogue.wait()
    dialogue.answer(FindCoordinator)
    dialogue.answer(CommitOffsets, refusal(dialogue.the(CommitOffsets), E.ILLEGAL_GENERATION))
    assert session.state is State.DEAD


@pytest.mark.parametrize("sent", [True, False])
def test_what_was_not_sent_leaves_no_doubt(*, sent: bool) -> None:
    session, dialogue = started(V1)
    (dialogue.lose if sent else dialogue.unsend)(AddOffsets)
    dialogue.answer(AddPartitions)
    dialogue.wait()
    dialogue.answer(FindCoordinator)
    code = E.GROUP_AUTHORIZATION_FAILED
    dialogue.answer(AddOffsets, refusal(dialogue.the(AddOffsets), code))
    assert (session.state is State.DEAD) is sent


def test_the_doubt_of_one_round_is_not_the_next_one_s() -> None:
    session, dialogue = started(V2, at=CommitOffsets)
    dialogue.lose(CommitOffsets)
    dialogue.wait()
    dialogue.go_on(until=CommitOffsets)
    dialogue.answer(CommitOffsets, refusal(dialogue.the(CommitOffsets), E.ILLEGAL_GENERATION))
    dialogue.go_on()
    session.start(settlement(), dialogue.now_ms)
    code = E.TOPIC_AUTHORIZATION_FAILED
    dialogue.answer(AddOffsets)
    dialogue.answer(AddPartitions, refusal(dialogue.the(AddPartitions), code))
    dialogue.go_on()
    assert isinstance(session.outcome, Aborted)


# Time.


@pytest.mark.parametrize("version", TransactionVersion)
@pytest.mark.parametrize("kind", [Produce, CommitOffsets])
def test_a_round_that_takes_too_long_was_not_committed_before_its_end_is_sent(
    version: TransactionVersion, kind: type[Request]
) -> None:
    session, dialogue = started(version, at=kind)
    assert session.next_time_ms == LIMITS.round_timeout_ms
    dialogue.now_ms = LIMITS.round_timeout_ms - 1
    dialogue.take()
    assert session.outcome is None
    dialogue.now_ms = LIMITS.round_timeout_ms
    assert dialogue.take() == []
    assert session.outcome == Dead(LATE, Fate.ABORTED)


@pytest.mark.parametrize("version", TransactionVersion)
def test_an_end_that_takes_too_long_leaves_the_outcome_unknown(version: TransactionVersion) -> None:
    session, dialogue = started(version, at=End)
    dialogue.now_ms = LIMITS.round_timeout_ms
    dialogue.take()
    assert session.outcome == Dead(LATE, Fate.UNKNOWN)


@pytest.mark.parametrize(
    ("code", "fate"), [(E.NOT_COORDINATOR, Fate.UNKNOWN), (None, Fate.ABORTED)]
)
def test_an_end_that_waits_for_its_coordinator_is_unknown_only_if_it_was_sent(
    code: int | None, fate: Fate
) -> None:
    session, dialogue = started(V2, at=End)
    if code is None:
        dialogue.unsend(End)
    else:
        dialogue.answer(End, Ended(code))
    dialogue.now_ms = LIMITS.round_timeout_ms
    dialogue.take()
    assert session.outcome == Dead(LATE, fate)


def test_an_abort_that_takes_too_long_is_an_abort() -> None:
    session, dialogue = started(V2, at=CommitOffsets)
    dialogue.answer(CommitOffsets, refusal(dialogue.the(CommitOffsets), E.UNKNOWN_MEMBER_ID))
    dialogue.the(End)
    dialogue.now_ms = LIMITS.round_timeout_ms
    dialogue.take()
    assert session.outcome == Dead(LATE, Fate.ABORTED)


def test_learning_is_bounded_too() -> None:
    session, dialogue = started(V1, at=End)
    dialogue.lose(End)
    dialogue.now_ms = LIMITS.round_timeout_ms
    dialogue.take()
    assert session.outcome == Dead(LATE, Fate.UNKNOWN)


def test_the_coordinator_is_the_one_that_was_given() -> None:
    _, dialogue = started(V1)
    assert dialogue.the(AddPartitions).node == COORDINATOR


def test_a_session_that_died_of_time_asks_none_of_its_questions_again() -> None:
    session, dialogue = started(V1)
    dialogue.answer(AddOffsets, refusal(dialogue.the(AddOffsets), E.CONCURRENT_TRANSACTIONS))
    dialogue.now_ms = LIMITS.round_timeout_ms
    assert dialogue.take() == []
    assert session.state is State.DEAD
    assert session.next_time_ms == math.inf


def test_a_session_that_died_of_time_searches_no_coordinator() -> None:
    session, dialogue = started(V1, at=FindCoordinator)
    dialogue.lose(FindCoordinator)
    dialogue.now_ms = LIMITS.round_timeout_ms
    assert dialogue.take() == []
    assert session.state is State.DEAD
    assert session.next_time_ms == math.inf


def test_an_end_that_never_found_its_coordinator_was_not_sent() -> None:
    session = TransactionSession("app", Producer(7, 3), V2, limits=LIMITS)
    session.leaders_are({P0: LEADER})
    dialogue = Dialogue(session)
    session.start(round_of(offsets=None), 0)
    dialogue.answer(Produce)
    assert dialogue.kinds() == {FindCoordinator}
    dialogue.now_ms = LIMITS.round_timeout_ms
    dialogue.take()
    assert session.outcome == Dead(LATE, Fate.ABORTED)
