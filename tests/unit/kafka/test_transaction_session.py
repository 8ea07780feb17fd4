"""The way of a round through a session whose brokers are content."""

import math

import pytest

from processor.kafka.transactions.limits import Limits
from processor.kafka.transactions.outcomes import Aborted, Committed
from processor.kafka.transactions.requests import (
    AddOffsets,
    AddPartitions,
    CommitOffsets,
    Describe,
    End,
    FindCoordinator,
    Produce,
    ProducedBatch,
    RefreshLeaders,
)
from processor.kafka.transactions.responses import (
    Described,
    Ended,
    LeadersFound,
    OffsetsAdded,
    Produced,
    Written,
)
from processor.kafka.transactions.round import Round, Settlement
from processor.kafka.transactions.session import TransactionSession
from processor.kafka.transactions.states import State
from processor.kafka.transactions.values import (
    CoordinatorKey,
    CoordinatorKind,
    Ending,
    Producer,
    TransactionVersion,
)
from tests.unit.kafka.dialogue import COORDINATOR, LEADER, Dialogue
from tests.unit.kafka.sessions import (
    LIMITS,
    OFFSETS,
    P0,
    P1,
    V1,
    V2,
    batch,
    round_of,
    session_of,
    settlement,
    started,
)

PRODUCER = Producer(7, 3)


@pytest.mark.parametrize("version", TransactionVersion)
def test_a_new_session_waits_for_its_first_round(version: TransactionVersion) -> None:
    session = TransactionSession("app", PRODUCER, version)
    assert session.state is State.READY
    assert (session.outcome, session.death) == (None, None)
    assert session.take_requests(1e9) == []
    assert session.next_time_ms == math.inf


def test_version_1_adds_partitions_and_offsets_at_once_and_nothing_else_meanwhile() -> None:
    _, dialogue = started(V1)
    assert dialogue.take() == [
        AddPartitions(1, COORDINATOR, "app", PRODUCER, (P0,)),
        AddOffsets(2, COORDINATOR, "app", PRODUCER, "g"),
    ]
    dialogue.answer(AddPartitions)
    assert dialogue.kinds() == {AddOffsets}


def test_version_2_produces_at_once() -> None:
    _, dialogue = started(V2)
    assert dialogue.kinds() == {Produce}


@pytest.mark.parametrize("version", TransactionVersion)
def test_offsets_go_to_the_group_s_coordinator_after_the_last_produce_answer(
    version: TransactionVersion,
) -> None:
    session, dialogue = started(version, at=Produce)
    assert dialogue.kinds() == {Produce}
    dialogue.answer(Produce)
    assert dialogue.the(FindCoordinator).key == CoordinatorKey(CoordinatorKind.GROUP, "g")
    dialogue.answer(FindCoordinator)
    request = dialogue.the(CommitOffsets)
    assert request == CommitOffsets(request.id, COORDINATOR, "app", version, PRODUCER, OFFSETS)
    assert session.state is State.OPEN


@pytest.mark.parametrize("version", TransactionVersion)
def test_the_end_comes_after_the_offsets_are_taken(version: TransactionVersion) -> None:
    session, dialogue = started(version, at=CommitOffsets)
    dialogue.answer(CommitOffsets)
    request = dialogue.the(End)
    assert request == End(request.id, COORDINATOR, "app", version, PRODUCER, Ending.COMMIT)
    assert (session.state, session.outcome) == (State.ENDING, None)
    dialogue.answer(End)
    assert (session.state, session.outcome) == (State.READY, Committed({P0: (100,)}))


@pytest.mark.parametrize("version", TransactionVersion)
def test_a_round_without_offsets_ends_after_its_batches(version: TransactionVersion) -> None:
    _, dialogue = started(version, round_of(offsets=None), at=Produce)
    dialogue.answer(Produce)
    assert dialogue.kinds() == {End}


@pytest.mark.parametrize("version", TransactionVersion)
def test_a_round_of_offsets_only_produces_nothing(version: TransactionVersion) -> None:
    session, dialogue = started(version, round_of({P0: []}))
    dialogue.go_on()
    assert {Produce, AddPartitions}.isdisjoint({type(r) for r in dialogue.asked})
    assert session.outcome == Committed({})


@pytest.mark.parametrize("version", TransactionVersion)
def test_a_round_of_nothing_is_committed_without_a_request(version: TransactionVersion) -> None:
    session, dialogue = started(version, Round())
    assert session.outcome == Committed({})
    assert dialogue.take() == []


def test_the_offsets_of_no_partition_are_none() -> None:
    nothing = Round({}, type(OFFSETS)("g", "member", 5, None, {}))
    session, _ = started(V1, nothing)
    assert session.outcome == Committed({})


def test_batches_go_to_all_leaders_at_once() -> None:
    session = session_of(V2, leaders={P0: 4, P1: 5})
    session.start(round_of({P0: [batch("a")], P1: [batch("b")]}), 0)
    produced = [r for r in session.take_requests(0) if isinstance(r, Produce)]
    assert {r.node: [b.partition for b in r.batches] for r in produced} == {4: [P0], 5: [P1]}
    assert {r.version for r in produced} == {V2}


def test_a_leader_has_one_request_at_a_time_with_one_batch_of_each_partition() -> None:
    a, b, c = batch("a", 2), batch("b", 3), batch("c", 4)
    _, dialogue = started(V1, round_of({P0: [a, b], P1: [c]}), at=Produce)
    assert dialogue.the(Produce).batches == (ProducedBatch(P0, a, 0), ProducedBatch(P1, c, 0))
    dialogue.answer(Produce)
    assert dialogue.the(Produce).batches == (ProducedBatch(P0, b, 2),)


def test_a_request_is_bounded_in_bytes_but_has_one_batch_at_least() -> None:
    work = round_of({P0: [batch("a", 1, 5000)], P1: [batch("b", 1, 1)]})
    _, dialogue = started(V2, work)
    assert [b.partition for b in dialogue.the(Produce).batches] == [P0]
    dialogue.answer(Produce)
    assert [b.partition for b in dialogue.the(Produce).batches] == [P1]


def test_batches_of_just_the_bound_go_together() -> None:
    work = round_of({P0: [batch("a", 1, 500)], P1: [batch("b", 1, 500)]})
    _, dialogue = started(V2, work)
    assert len(dialogue.the(Produce).batches) == 2


def test_base_offsets_come_in_the_order_of_the_batches() -> None:
    session, dialogue = started(V1, round_of({P0: [batch("a"), batch("b")]}), at=Produce)
    dialogue.answer(Produce, Produced({P0: Written(0, 10)}))
    dialogue.answer(Produce, Produced({P0: Written(0, 20)}))
    dialogue.go_on()
    assert session.outcome == Committed({P0: (10, 20)})


def test_leaders_that_are_not_known_are_asked_for() -> None:
    session = session_of(V2, leaders={P0: LEADER})
    dialogue = Dialogue(session)
    session.start(round_of({P0: [batch("a")], P1: [batch("b")]}), 0)
    assert dialogue.kinds() == {Produce, RefreshLeaders}
    assert dialogue.the(RefreshLeaders).partitions == (P1,)
    dialogue.answer(RefreshLeaders, LeadersFound({P1: 5}))
    dialogue.take()
    assert [r.node for r in dialogue.open if isinstance(r, Produce)] == [LEADER, 5]


def test_a_leader_that_nobody_knows_is_asked_for_again_later() -> None:
    session = session_of(V2, leaders={})
    dialogue = Dialogue(session)
    session.start(round_of(), 0)
    waits = []
    for _ in range(3):
        dialogue.answer(RefreshLeaders, LeadersFound({}))
        assert dialogue.take() == []
        waits.append(dialogue.wait())
    assert waits == [10, 20, 40]
    dialogue.answer(RefreshLeaders)
    assert dialogue.kinds() == {Produce}


def test_the_pause_for_leaders_begins_anew_once_they_were_found() -> None:
    session = session_of(V2, leaders={})
    dialogue = Dialogue(session)
    session.start(round_of(), 0)
    for _ in range(2):
        dialogue.answer(RefreshLeaders, LeadersFound({}))
        assert dialogue.wait() == 10
        dialogue.answer(RefreshLeaders)
        dialogue.wait()
        dialogue.lose(Produce)


def test_a_lost_question_for_leaders_is_asked_again() -> None:
    session = session_of(V2, leaders={})
    dialogue = Dialogue(session)
    session.start(round_of(), 0)
    dialogue.lose(RefreshLeaders)
    assert dialogue.take() == []
    dialogue.wait()
    assert dialogue.kinds() == {RefreshLeaders}


def test_a_coordinator_that_is_not_known_is_searched_once() -> None:
    session = TransactionSession("app", PRODUCER, V1, limits=LIMITS)
    dialogue = Dialogue(session)
    session.start(settlement(), 0)
    key = CoordinatorKey(CoordinatorKind.TRANSACTION, "app")
    assert [r.key for r in dialogue.take() if isinstance(r, FindCoordinator)] == [key]
    assert dialogue.take() == []
    assert session.next_time_ms == LIMITS.round_timeout_ms
    dialogue.answer(FindCoordinator)
    assert session.next_time_ms == 0
    assert dialogue.kinds() == {AddPartitions, AddOffsets}


def test_the_search_for_a_coordinator_is_repeated_when_it_is_lost() -> None:
    session = TransactionSession("app", PRODUCER, V1, limits=LIMITS)
    dialogue = Dialogue(session)
    session.start(settlement(), 0)
    for pause_ms in (10, 20, 40):
        dialogue.lose(FindCoordinator)
        assert dialogue.take() == []
        assert dialogue.wait() == pause_ms
    dialogue.answer(FindCoordinator)
    assert dialogue.kinds() == {AddPartitions, AddOffsets}


# From one transaction to the next.


def test_a_round_under_way_has_no_outcome_though_the_one_before_had() -> None:
    session, dialogue = started(V1)
    dialogue.go_on()
    assert session.outcome is not None
    session.start(round_of(), dialogue.now_ms)
    assert session.outcome is None
    assert session.state is State.OPEN


def test_sequences_go_on_in_version_1() -> None:
    session, dialogue = started(V1, round_of({P0: [batch("a", 4)]}))
    dialogue.go_on()
    session.start(round_of({P0: [batch("b")], P1: [batch("c")]}), dialogue.now_ms)
    dialogue.go_on(until=Produce)
    assert [b.base_sequence for b in dialogue.the(Produce).batches] == [4, 0]
    assert session.producer == PRODUCER


def test_version_2_goes_on_with_the_producer_that_the_end_gave_and_sequence_0() -> None:
    session, dialogue = started(V2, round_of({P0: [batch("a", 4)]}), at=End)
    dialogue.answer(End, Ended(0, Producer(8, 0)))
    session.start(round_of(), dialogue.now_ms)
    dialogue.go_on(until=Produce)
    request = dialogue.the(Produce)
    assert request.producer == Producer(8, 0)
    assert [b.base_sequence for b in request.batches] == [0]


def test_sequences_wrap_to_0_after_the_greatest_number() -> None:
    first, second = batch("a", 2**31 - 3), batch("b", 5)
    _, dialogue = started(V1, round_of({P0: [first, second, batch("c")]}), at=Produce)
    dialogue.answer(Produce)
    assert dialogue.the(Produce).batches[0].base_sequence == 2**31 - 3
    dialogue.answer(Produce)
    assert dialogue.the(Produce).batches[0].base_sequence == 2


def test_version_2_asks_at_once_whether_the_markers_are_written_and_is_ready_meanwhile() -> None:
    session, dialogue = started(V2, at=End)
    dialogue.answer(End)
    assert session.state is State.READY
    assert dialogue.kinds() == {Describe}


def test_version_2_produces_once_the_markers_are_written() -> None:
    session, dialogue = started(V2, at=End)
    dialogue.answer(End)
    session.start(round_of(), dialogue.now_ms)
    waits = []
    for _ in range(7):
        dialogue.answer(Describe, Described(0, "PrepareCommit"))
        assert dialogue.kinds() == set()
        waits.append(dialogue.wait())
    assert waits == [1, 2, 4, 8, 16, 32, 32]
    dialogue.answer(Describe, Described(0, "CompleteCommit"))
    assert dialogue.kinds() == {Produce}


def test_an_idle_session_learns_that_the_markers_are_written_before_the_next_round() -> None:
    session, dialogue = started(V2, at=End)
    dialogue.answer(End)
    dialogue.answer(Describe)
    assert session.next_time_ms == math.inf
    session.start(round_of(), dialogue.now_ms)
    assert dialogue.kinds() == {Produce}


@pytest.mark.parametrize(
    ("version", "limits"), [(V1, LIMITS), (V2, Limits(await_completion=False))]
)
def test_nobody_asks_for_the_markers_where_the_next_request_finds_out(
    version: TransactionVersion, limits: Limits
) -> None:
    session, dialogue = started(version, at=End, limits=limits)
    dialogue.answer(End)
    assert session.state is State.READY
    assert dialogue.kinds() == set()


def test_a_round_that_is_over_has_no_deadline() -> None:
    session, dialogue = started(V1)
    dialogue.go_on()
    assert session.next_time_ms == math.inf
    dialogue.now_ms = 10 * LIMITS.round_timeout_ms
    assert dialogue.take() == []
    assert session.state is State.READY


def test_a_session_takes_one_round_at_a_time() -> None:
    session, _ = started(V1)
    with pytest.raises(RuntimeError, match="open"):
        session.start(round_of(), 0)


def test_an_answer_of_another_kind_is_refused() -> None:
    session, dialogue = started(V1)
    with pytest.raises(TypeError, match="no answer"):
        session.receive(dialogue.the(AddPartitions), OffsetsAdded(0), 0)


# Settlements.


@pytest.mark.parametrize("version", TransactionVersion)
@pytest.mark.parametrize(
    ("ending", "outcome"), [(Ending.COMMIT, Committed({})), (Ending.ABORT, Aborted(None))]
)
def test_a_settlement_only_adds_and_ends_and_does_so_with_version_1(
    version: TransactionVersion, ending: Ending, outcome: Committed | Aborted
) -> None:
    session, dialogue = started(version, settlement(ending), at=End)
    assert [type(r) for r in dialogue.asked] == [AddPartitions, AddOffsets, End]
    request = dialogue.the(End)
    assert (request.version, request.ending) == (V1, ending)
    dialogue.answer(End)
    assert session.outcome == outcome
    assert session.producer == PRODUCER


@pytest.mark.parametrize(
    ("work", "kind"),
    [
        (Settlement([P0], None, Ending.COMMIT), AddPartitions),
        (Settlement([], "g", Ending.COMMIT), AddOffsets),
    ],
)
def test_a_settlement_of_one_kind_adds_that_only(
    work: Settlement, kind: type[AddPartitions | AddOffsets]
) -> None:
    session, dialogue = started(V1, work)
    assert dialogue.kinds() == {kind}
    dialogue.go_on()
    assert session.outcome == Committed({})


@pytest.mark.parametrize(
    ("ending", "outcome"), [(Ending.COMMIT, Committed({})), (Ending.ABORT, Aborted(None))]
)
def test_a_settlement_of_nothing_is_over_at_once(
    ending: Ending, outcome: Committed | Aborted
) -> None:
    session, dialogue = started(V1, Settlement([], None, ending))
    assert session.outcome == outcome
    assert dialogue.take() == []


def test_a_settlement_in_version_2_is_waited_for_like_a_round() -> None:
    session, dialogue = started(V2, settlement(), at=End)
    dialogue.answer(End)
    assert dialogue.kinds() == {Describe}
    session.start(round_of(), 0)
    dialogue.answer(Describe)
    assert dialogue.the(Produce).batches == (ProducedBatch(P0, batch(), 0),)
