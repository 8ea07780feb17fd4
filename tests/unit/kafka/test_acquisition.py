"""Taking over a transactional id: what is learnt of its last transaction, and noted."""

import math

import pytest

from processor.kafka.transactions.acquire import Acquired, Acquisition, Refused
from processor.kafka.transactions.error_codes import ErrorCode
from processor.kafka.transactions.outcomes import Cause, Reason
from processor.kafka.transactions.requests import Describe, FindCoordinator, InitProducerId
from processor.kafka.transactions.responses import (
    CoordinatorFound,
    Described,
    OffsetsAdded,
    ProducerIdGiven,
)
from processor.kafka.transactions.values import CoordinatorKey, CoordinatorKind, Ending, Producer
from tests.unit.kafka.dialogue import COORDINATOR, Dialogue

E = ErrorCode
NEVER_USED = Described(E.TRANSACTIONAL_ID_NOT_FOUND)


def begun() -> tuple[Acquisition, Dialogue]:
    """An acquisition with a timeout of a minute."""
    acquisition = Acquisition("app", timeout_ms=60_000, now_ms=0.0)
    return acquisition, Dialogue(acquisition)


def state(name: str, timeout_ms: int = 60_000) -> Described:
    """A state of the id."""
    return Described(0, name, Producer(7, 2), timeout_ms)


def acquired_after(last: Described) -> tuple[Acquired, int]:
    """What is found, and the transaction timeout that is asked for."""
    acquisition, dialogue = begun()
    dialogue.answer(FindCoordinator)
    dialogue.answer(Describe, last)
    timeout_ms = dialogue.the(InitProducerId).timeout_ms
    dialogue.answer(InitProducerId)
    assert isinstance(acquisition.outcome, Acquired)
    return acquisition.outcome, timeout_ms


@pytest.mark.parametrize(
    ("last", "ending", "timeout_ms"),
    [
        (NEVER_USED, None, 60_000),
        (state("CompleteCommit"), Ending.COMMIT, 59_999),
        (state("PrepareCommit"), Ending.COMMIT, 59_999),
        (state("CompleteAbort"), Ending.ABORT, 59_998),
        (state("PrepareAbort"), Ending.ABORT, 59_998),
        (state("Ongoing"), Ending.ABORT, 59_998),
        (Described(E.UNSUPPORTED_VERSION), Ending.ABORT, 59_998),
    ],
)
def test_what_hangs_ends_as_the_last_transaction_did(
    last: Described, ending: Ending | None, timeout_ms: int
) -> None:
    acquired = Acquired(Producer(7, 3), ending, COORDINATOR)
    assert acquired_after(last) == (acquired, timeout_ms)


@pytest.mark.parametrize("last", [NEVER_USED, state("CompleteCommit"), state("CompleteAbort")])
def test_an_owner_that_has_only_acquired_passes_on_what_it_knew(last: Described) -> None:
    known, noted_ms = acquired_after(last)
    assert acquired_after(state("Empty", noted_ms)) == (known, noted_ms)


def test_the_coordinator_of_the_id_is_asked_and_nothing_else_meanwhile() -> None:
    acquisition, dialogue = begun()
    request = dialogue.the(FindCoordinator)
    assert request.key == CoordinatorKey(CoordinatorKind.TRANSACTION, "app")
    dialogue.answer(FindCoordinator)
    assert dialogue.the(Describe).node == COORDINATOR
    assert acquisition.next_time_ms == math.inf
    dialogue.answer(Describe)
    assert dialogue.the(InitProducerId).node == COORDINATOR
    assert acquisition.outcome is None


def test_the_state_that_counts_is_the_one_before_the_try_that_succeeds() -> None:
    acquisition, dialogue = begun()
    dialogue.answer(FindCoordinator)
    dialogue.answer(Describe, state("Ongoing"))
    waits = []
    for _ in range(7):
        dialogue.answer(InitProducerId, ProducerIdGiven(E.CONCURRENT_TRANSACTIONS))
        assert dialogue.take() == []
        waits.append(round(dialogue.wait()))
        dialogue.answer(Describe, state("CompleteCommit"))
    assert waits == [1, 2, 4, 8, 16, 32, 32]
    dialogue.answer(InitProducerId)
    assert isinstance(acquisition.outcome, Acquired)
    assert acquisition.outcome.ending is Ending.COMMIT


@pytest.mark.parametrize("kind", [Describe, InitProducerId])
@pytest.mark.parametrize("sent", [True, False])
def test_whatever_is_lost_begins_again_with_the_state_at_whoever_coordinates(
    kind: type[Describe | InitProducerId], *, sent: bool
) -> None:
    acquisition, dialogue = begun()
    dialogue.go_on(until=kind)
    (dialogue.lose if sent else dialogue.unsend)(kind)
    assert dialogue.take() == []
    assert dialogue.wait() == 10
    dialogue.answer(FindCoordinator, CoordinatorFound(0, 9))
    assert dialogue.the(Describe).node == 9
    dialogue.go_on()
    assert acquisition.outcome == Acquired(Producer(7, 3), Ending.COMMIT, 9)


def test_a_lost_search_is_repeated() -> None:
    _, dialogue = begun()
    dialogue.lose(FindCoordinator)
    assert dialogue.wait() == 10
    assert dialogue.kinds() == {FindCoordinator}


@pytest.mark.parametrize(
    "code", [E.COORDINATOR_LOAD_IN_PROGRESS, E.NOT_COORDINATOR, E.COORDINATOR_NOT_AVAILABLE]
)
def test_a_coordinator_that_moves_is_asked_for_the_state_again(code: int) -> None:
    acquisition, dialogue = begun()
    dialogue.go_on(until=InitProducerId)
    dialogue.answer(InitProducerId, ProducerIdGiven(code))
    dialogue.wait()
    dialogue.go_on(until=Describe)
    dialogue.answer(Describe, Described(code))
    assert not dialogue.open
    dialogue.wait()
    dialogue.go_on()
    assert isinstance(acquisition.outcome, Acquired)


def test_a_refusal_ends_it() -> None:
    acquisition, dialogue = begun()
    dialogue.go_on(until=InitProducerId)
    code = E.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    dialogue.answer(InitProducerId, ProducerIdGiven(code))
    assert acquisition.outcome == Refused(Cause(Reason.REFUSED, InitProducerId, code))
    assert dialogue.take() == []
    assert acquisition.next_time_ms == math.inf


@pytest.mark.parametrize("kind", [FindCoordinator, Describe])
def test_a_question_before_can_be_refused_too(kind: type[FindCoordinator | Describe]) -> None:
    acquisition, dialogue = begun()
    dialogue.go_on(until=kind)
    code = E.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    dialogue.answer(kind, CoordinatorFound(code) if kind is FindCoordinator else Described(code))
    assert isinstance(acquisition.outcome, Refused)


def test_nothing_is_asked_once_it_is_acquired() -> None:
    acquisition, dialogue = begun()
    dialogue.go_on()
    assert acquisition.next_time_ms == math.inf


def test_an_answer_of_another_kind_is_refused() -> None:
    acquisition, dialogue = begun()
    with pytest.raises(TypeError, match="no answer"):
        acquisition.receive(dialogue.the(FindCoordinator), OffsetsAdded(0), 0)
