"""What hangs in a stream's partitions is ended, whoever wrote it, and nothing else is touched."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from processor.task.hanging_watch import HangingWatch
from processor.task.ports import Membership
from tests.fakes.link import Fault
from tests.task.owner import Owner
from tests.task.world import World
from tests.waiting import eventually, turns

STREAM = 0


class Scene:
    """A process with stream 0 of two that watches, and another one that writes."""

    def __init__(self) -> None:
        self.world = World(2)
        self.kafka, self.topics = self.world.kafka, self.world.topics
        self.broker = self.world.broker()
        self.committer = self.world.committer(self.broker)
        self.committer.membership = Membership("us", 1)
        self.requests: list[bool] = []
        self.committer.request_settling = (  # type: ignore[method-assign]
            lambda: self.requests.append(True)
        )
        self.is_ours = True
        watch = HangingWatch(
            self.broker, self._is_member, self.committer, self.topics, self.world.clock
        )
        self.job = asyncio.create_task(watch.run(lambda: {STREAM}))
        self.other = Owner(self.world)

    async def _is_member(self, membership: Membership) -> bool:
        return self.is_ours and membership == self.committer.membership

    def leave_hanging(self, owner: Owner, topic: str, stream: int = STREAM) -> None:
        """Commit a record that hangs."""
        owner.write(topic, (b"k", b"v", []), stream=stream)
        self.kafka.loses_markers = True
        owner.commit()
        self.kafka.loses_markers = False

    def held(self, topic: str, stream: int = STREAM) -> bool:
        """Whether readers of committed records cannot pass it."""
        log = self.kafka.log(topic, stream)
        return log.stable_end < log.end

    async def looks(self, times: int = 5) -> None:
        """Wait until it has looked some more."""
        calls = self.broker.link.calls
        enough = calls.count("bounds") + times
        await eventually(lambda: self.job.done() or calls.count("bounds") >= enough)
        await turns()


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """A watch that runs until the end."""
    scene = Scene()
    yield scene
    assert not scene.job.done()
    scene.job.cancel()
    await asyncio.wait([scene.job])


@pytest.mark.parametrize("topic", [*World(1).topics.outputs, *World(1).topics.queues])
async def test_what_somebody_left_hanging_in_a_partition_of_the_stream_is_ended(
    scene: Scene, topic: str
) -> None:
    scene.leave_hanging(scene.other, topic)
    await eventually(lambda: not scene.held(topic))
    assert len(scene.world.records(topic)) == 1


async def test_what_hangs_of_the_own_last_transaction_is_ended_by_the_committer(
    scene: Scene,
) -> None:
    own = Owner(scene.world, scene.committer.transactional_id)
    scene.leave_hanging(own, scene.topics.live)
    await eventually(lambda: bool(scene.requests))
    assert own.is_untouched


async def test_partitions_of_other_streams_are_left_to_their_owners(scene: Scene) -> None:
    scene.leave_hanging(scene.other, scene.topics.live, stream=1)
    await scene.looks()
    assert scene.held(scene.topics.live, 1)


async def test_a_transaction_that_is_open_is_left_alone(scene: Scene) -> None:
    scene.other.write(scene.topics.claims, (b"k", b"v", []))
    await scene.looks()
    assert "describe" in scene.broker.link.calls
    assert scene.other.is_untouched


async def test_partitions_that_move_on_are_not_looked_into(scene: Scene) -> None:
    held = scene.broker.link.hold("bounds", nth=2)
    scene.other.write(scene.topics.claims, (b"k", b"v", []))
    await eventually(held.reached.is_set)
    scene.other.commit()
    scene.other.write(scene.topics.claims, (b"k", b"v", []))
    third = scene.broker.link.hold("bounds")
    held.release()
    await eventually(third.reached.is_set)
    assert "describe" not in scene.broker.link.calls
    third.release()


async def test_nothing_is_ended_by_whoever_the_group_does_not_know(scene: Scene) -> None:
    scene.is_ours = False
    scene.leave_hanging(scene.other, scene.topics.claims)
    await scene.looks()
    assert scene.held(scene.topics.claims)


async def test_nothing_is_ended_without_a_membership(scene: Scene) -> None:
    scene.committer.membership = None
    scene.leave_hanging(scene.other, scene.topics.claims)
    await scene.looks()
    assert scene.held(scene.topics.claims)


@pytest.mark.parametrize("call", ["bounds", "describe", "fence"])
async def test_a_look_that_fails_is_made_again(scene: Scene, call: str) -> None:
    scene.broker.link.fail(Fault.BEFORE, call)
    scene.leave_hanging(scene.other, scene.topics.claims)
    await eventually(lambda: not scene.held(scene.topics.claims))
