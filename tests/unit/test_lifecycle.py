"""A task's life."""

from itertools import pairwise

import pytest

from processor.errors import BrokenInvariant
from processor.task.lifecycle import TaskState, move

LIFE = [
    TaskState.ASSIGNED,
    TaskState.TAKING_OVER,
    TaskState.RESTORING,
    TaskState.RUNNING,
    TaskState.STOPPING,
    TaskState.CLOSED,
]
# Straight on, and from anywhere alive to the end.
LEGAL = {*pairwise(LIFE), *((state, TaskState.STOPPING) for state in LIFE[:4])}
ILLEGAL = [(a, b) for a in TaskState for b in TaskState if (a, b) not in LEGAL]


@pytest.mark.parametrize(("source", "target"), sorted(LEGAL, key=str))
def test_a_legal_move_leads_to_its_target(source: TaskState, target: TaskState) -> None:
    assert move(source, target) is target


@pytest.mark.parametrize(("source", "target"), ILLEGAL)
def test_any_other_move_is_a_broken_invariant(source: TaskState, target: TaskState) -> None:
    with pytest.raises(BrokenInvariant, match=f"from {source.value} to {target.value}"):
        move(source, target)
