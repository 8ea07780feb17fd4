"""Batches that tell where the first ones stand, in the same transaction."""

from collections.abc import Mapping, Sequence

import pytest

from processor.kafka.transactions.error_codes import ErrorCode
from processor.kafka.transactions.outcomes import Aborted, Committed
from processor.kafka.transactions.requests import AddPartitions, CommitOffsets, End, Produce
from processor.kafka.transactions.responses import Produced, Written
from processor.kafka.transactions.round import BaseOffsets, FollowUp, Round
from processor.kafka.transactions.session import TransactionSession
from processor.kafka.transactions.states import State
from processor.kafka.transactions.values import Ending, TopicPartition, TransactionVersion
from tests.fakes.transactions import FakeBatch
from tests.unit.kafka.dialogue import Dialogue, refusal
from tests.unit.kafka.sessions import OFFSETS, P0, P1, V1, V2, batch, started

both = pytest.mark.parametrize("version", TransactionVersion)


class Notes:
    """A follow-up that writes down what it is told."""

    def __init__(self, batches: Mapping[TopicPartition, Sequence[FakeBatch]]) -> None:
        self.told: list[BaseOffsets] = []
        self._batches = batches

    def batches(self, base_offsets: BaseOffsets) -> Mapping[TopicPartition, Sequence[FakeBatch]]:
        """What comes after the first batches."""
        self.told.append(dict(base_offsets))
        return self._batches

    def round(self) -> Round:
        """A round of one batch with two records, with these after it."""
        follow_up = FollowUp(tuple(self._batches), self.batches)
        return Round({P0: [batch("first", records=2)]}, OFFSETS, follow_up)


def begun(version: TransactionVersion, notes: Notes) -> tuple[TransactionSession, Dialogue]:
    """A session whose first Produce is open."""
    return started(version, notes.round(), at=Produce)


def written(where: TopicPartition, offset: int) -> Produced:
    """An answer of a leader that has a batch."""
    return Produced({where: Written(0, offset)})


@both
def test_it_is_told_where_the_first_batches_stand_and_produced_before_anything_else(
    version: TransactionVersion,
) -> None:
    notes = Notes({P1: [batch("note")]})
    session, dialogue = begun(version, notes)
    assert notes.told == []
    dialogue.answer(Produce, written(P0, 70))
    assert notes.told == [{P0: (70,)}]
    (sent,) = dialogue.the(Produce).batches
    assert (sent.partition, sent.batch, sent.base_sequence) == (P1, batch("note"), 0)
    assert dialogue.kinds() == {Produce}
    dialogue.answer(Produce, written(P1, 80))
    dialogue.go_on(until=CommitOffsets)
    dialogue.go_on(until=End)
    assert dialogue.the(End).ending is Ending.COMMIT
    dialogue.go_on()
    assert session.outcome == Committed({P0: (70,), P1: (80,)})
    assert notes.told == [{P0: (70,)}]


def test_its_partitions_are_added_at_the_beginning_each_once() -> None:
    notes = Notes({P1: [batch("note")], P0: [batch("another")]})
    _, dialogue = started(V1, notes.round())
    assert dialogue.the(AddPartitions).partitions == (P0, P1)


@both
def test_batches_for_the_same_partition_come_after_the_first_ones(
    version: TransactionVersion,
) -> None:
    session, dialogue = begun(version, Notes({P0: [batch("note"), batch("last")]}))
    dialogue.answer(Produce, written(P0, 70))
    for sequence, offset in ((2, 72), (3, 73)):
        (sent,) = dialogue.the(Produce).batches
        assert sent.base_sequence == sequence
        dialogue.answer(Produce, written(P0, offset))
    dialogue.go_on()
    assert session.outcome == Committed({P0: (70, 72, 73)})


@both
def test_one_with_nothing_to_tell_changes_nothing(version: TransactionVersion) -> None:
    session, dialogue = begun(version, Notes({P1: []}))
    dialogue.answer(Produce, written(P0, 70))
    dialogue.go_on()
    assert session.outcome == Committed({P0: (70,)})


@both
def test_it_is_not_asked_for_when_the_first_batches_are_refused(
    version: TransactionVersion,
) -> None:
    notes = Notes({P1: [batch("note")]})
    session, dialogue = begun(version, notes)
    dialogue.answer(Produce, refusal(dialogue.the(Produce), ErrorCode.MESSAGE_TOO_LARGE))
    assert dialogue.the(End).ending is Ending.ABORT
    dialogue.go_on()
    assert notes.told == []
    assert isinstance(session.outcome, Aborted)


@both
def test_all_is_aborted_when_it_is_refused(version: TransactionVersion) -> None:
    session, dialogue = begun(version, Notes({P1: [batch("note")]}))
    dialogue.answer(Produce, written(P0, 70))
    dialogue.answer(Produce, refusal(dialogue.the(Produce), ErrorCode.MESSAGE_TOO_LARGE))
    assert dialogue.kinds() == {End}
    assert dialogue.the(End).ending is Ending.ABORT
    dialogue.go_on()
    assert isinstance(session.outcome, Aborted)
    assert session.state is State.READY


@both
def test_a_lost_answer_to_it_is_asked_for_again_with_the_same_sequence(
    version: TransactionVersion,
) -> None:
    session, dialogue = begun(version, Notes({P1: [batch("note")]}))
    dialogue.answer(Produce, written(P0, 70))
    first = dialogue.the(Produce)
    dialogue.lose(Produce)
    dialogue.go_on()
    dialogue.wait()
    dialogue.go_on(until=Produce)
    again = dialogue.the(Produce)
    assert [one.base_sequence for one in again.batches] == [
        one.base_sequence for one in first.batches
    ]
    dialogue.answer(Produce, written(P1, 80))
    dialogue.go_on()
    assert session.outcome == Committed({P0: (70,), P1: (80,)})


def test_the_next_round_goes_on_with_the_sequences() -> None:
    session, dialogue = begun(V1, Notes({P0: [batch("note", records=3)]}))
    dialogue.go_on()
    assert isinstance(session.outcome, Committed)
    session.start(Round({P0: [batch("next")]}), dialogue.now_ms)
    dialogue.go_on(until=Produce)
    assert [one.base_sequence for one in dialogue.the(Produce).batches] == [5]


def test_the_next_round_has_none() -> None:
    notes = Notes({P1: [batch("note")]})
    session, dialogue = begun(V2, notes)
    dialogue.go_on()
    session.start(Round({P0: [batch("next")]}), dialogue.now_ms)
    dialogue.go_on()
    assert len(notes.told) == 1
    assert session.outcome == Committed({P0: (100,)})
