"""Transactions that end while their partitions have no leader: Kafka 4.3.1 leaves them hanging.

The broker that coordinates them completes them without the markers that the other one should have
got (KAFKA-20734). What happens to the records must not depend on it.
"""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.containers.broker_pair import CAN_BE_LOST, STAYS, BrokerPair, broker_pair
from tests.containers.pair_world import PairWorld, pair_world
from tests.contract.reading import group_offset
from tests.contract.writing import owned

pytestmark = [pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def pair(engine: None) -> Iterator[BrokerPair]:
    """Two brokers, for all tests of this file."""
    with broker_pair() as brokers:
        yield brokers


@pytest.fixture
async def world(pair: BrokerPair) -> AsyncIterator[PairWorld]:
    """A new app, all of it on the broker that can be lost."""
    async with pair_world(pair, CAN_BE_LOST) as opened:
        yield opened


@pytest.fixture
async def group_away(pair: BrokerPair) -> AsyncIterator[PairWorld]:
    """A new app of which only the group is on the broker that can be lost."""
    async with pair_world(pair, STAYS) as opened:
        yield opened


# An owner that stays


async def test_an_owner_that_stays_commits_what_was_committed_without_markers(
    world: PairWorld,
) -> None:
    process = await world.process()
    owner = await owned(process)
    await world.commit_that_hangs(process, owner)
    await world.get_broker_back()
    await world.write(owner, "three", 3)
    assert await world.readable() == [["one", "two", "three"]] * 3
    assert await group_offset(process.broker, 0) == 2


async def test_an_owner_that_stays_aborts_what_was_aborted_without_markers(
    world: PairWorld,
) -> None:
    process = await world.process()
    owner = await owned(process)
    await world.abort_that_hangs(process, owner)
    await world.get_broker_back()
    await world.write(owner, "three", 2)
    assert await world.readable() == [["one", "three"]] * 3
    assert await group_offset(process.broker, 0) is None


async def test_an_owner_that_stays_can_commit_it_without_a_round(world: PairWorld) -> None:
    process = await world.process()
    owner = await owned(process)
    await world.commit_that_hangs(process, owner)
    await world.get_broker_back()
    await owner.settle()
    assert await world.readable() == [["one", "two"]] * 3


# An owner that is replaced


async def test_the_next_owner_commits_what_was_committed_without_markers(world: PairWorld) -> None:
    process = await world.process()
    owner = await owned(process)
    await world.commit_that_hangs(process, owner)
    await owner.close()
    await world.get_broker_back()
    assert await world.take_over() == (2, 2)
    assert await world.readable() == [["one", "two"]] * 3


async def test_it_is_committed_also_when_somebody_in_between_has_only_taken_the_id(
    world: PairWorld,
) -> None:
    process = await world.process()
    owner = await owned(process)
    await world.commit_that_hangs(process, owner)
    await world.get_broker_back()
    await (await owned(await world.process())).close()
    assert await world.take_over() == (2, 2)
    assert await world.readable() == [["one", "two"]] * 3


async def test_the_next_owner_aborts_what_was_aborted_without_markers(world: PairWorld) -> None:
    process = await world.process()
    owner = await owned(process)
    await world.death_that_hangs(process, owner)
    await owner.close()
    await world.get_broker_back()
    assert await world.take_over() == (1, None)
    assert await world.readable() == [["one"]] * 3
    heir = await owned(await world.process(), "heir")
    await world.write(heir, "three", 2)
    assert await world.readable() == [["one", "three"]] * 3


async def test_the_next_owner_commits_the_group_s_offset_where_nothing_else_hangs(
    group_away: PairWorld,
) -> None:
    world = group_away
    process = await world.process()
    owner = await owned(process)
    await world.commit_that_hangs(process, owner)
    await owner.close()
    await world.get_broker_back()
    assert await world.take_over() == (2, 2)
    assert await world.readable() == [["one", "two"]] * 3
