"""Whatever is lost, delayed or moved: a round has happened exactly as its session says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.kafka.transactions.outcomes import Aborted, Committed, Dead, Fate
from processor.kafka.transactions.round import Batch
from processor.kafka.transactions.values import TopicPartition, TransactionVersion
from tests.fakes.transactions import FakeBatch
from tests.property.transaction_world import INPUT, Told, World


def is_told_to_be_there(told: Told) -> bool | None:
    """Whether a round must be there; None if its session does not know."""
    match told.outcome:
        case Committed() | Dead(fate=Fate.COMMITTED):
            return True
        case Aborted() | Dead(fate=Fate.ABORTED):
            return False
        case _:
            return None


def names_in(told: Told) -> dict[TopicPartition, list[str]]:
    """The names of a round's batches."""
    return {where: [named(b) for b in some] for where, some in told.work.batches.items()}


def named(batch: Batch) -> str:
    """The name of a batch."""
    assert isinstance(batch, FakeBatch)
    return batch.name


def is_there(world: World, told: Told) -> bool | None:
    """Whether a round is committed, by its records; None if it has none."""
    found = {
        name in world.cluster.read(where) for where, some in names_in(told).items() for name in some
    }
    assert len(found) <= 1, f"only a part of {told}"
    return next(iter(found), None)


def judge(world: World) -> None:
    """Compare what sessions said with what the cluster has."""
    assert not world.cluster.has_open_records
    expected: dict[TopicPartition, list[str]] = {where: [] for where in world.cluster.leaders}
    offsets: set[int | None] = {None}
    for told in world.told:
        must, there = is_told_to_be_there(told), is_there(world, told)
        assert must is None or there in (must, None), told
        if (there or must) is True:
            offsets = {told.offset}
            for where, some in names_in(told).items():
                expected[where] += some
        elif there is None and must is None:
            offsets.add(told.offset)
        if isinstance(told.outcome, Committed):
            judge_offsets(world, told, told.outcome)
    assert {where: world.cluster.read(where) for where in expected} == expected
    found = world.cluster.committed.get(INPUT)
    assert (None if found is None else found.offset) in offsets


def judge_offsets(world: World, told: Told, outcome: Committed) -> None:
    """Find each batch where its session says that it is."""
    found = {where: at for where, at in outcome.base_offsets.items() if at}
    names = {where: some for where, some in names_in(told).items() if some}
    assert found.keys() == names.keys()
    for where, some in names.items():
        for name, at in zip(some, found[where], strict=True):
            assert at < 0 or world.cluster.name_at(where, at) == name


@pytest.mark.parametrize("version", TransactionVersion)
@given(seed=st.integers(0, 2**32))
def test_a_round_is_exactly_what_its_session_says(version: TransactionVersion, seed: int) -> None:
    world = World(seed, version)
    world.run(rounds=6)
    judge(world)
