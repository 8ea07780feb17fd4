"""Noticing, while a process runs, that a topic is not the one that it was."""

import asyncio

import pytest

from processor.errors import BrokenInvariant, UsageError
from processor.task.topic_watch import TopicWatch, first_changed, topic_made_anew
from processor.topics import Topics
from tests.fakes.broker import FakeBroker
from tests.fakes.clock import FakeClock
from tests.fakes.group import FakeGroup
from tests.fakes.kafka import FakeKafka
from tests.fakes.link import Fault
from tests.task.events import place
from tests.task.world import World
from tests.waiting import eventually


class Watched:
    """A watch on the topics of a Kafka in memory."""

    def __init__(self) -> None:
        self.kafka = FakeKafka()
        self.broker = FakeBroker(self.kafka)
        self.job = asyncio.create_task(TopicWatch(self.broker, FakeClock()).run())

    async def looks(self, times: int = 3) -> None:
        """Wait until it has looked some more."""
        calls = self.broker.link.calls
        enough = calls.count("topics") + times
        await eventually(lambda: self.job.done() or calls.count("topics") >= enough)

    async def said(self) -> str:
        """What it ends with."""
        error = await asyncio.wait_for(self.job, 10)
        assert isinstance(error, UsageError)
        return str(error)

    async def end(self) -> None:
        """End it."""
        assert not self.job.done()
        self.job.cancel()
        await asyncio.wait([self.job])


@pytest.mark.parametrize("topic", Topics().all)
async def test_any_topic_that_is_made_anew_is_named(topic: str) -> None:
    watched = Watched()
    await watched.looks()
    watched.kafka.recreate(topic)
    assert await watched.said() == topic_made_anew(topic)


async def test_topics_that_stay_as_they_are_say_nothing() -> None:
    watched = Watched()
    await watched.looks(10)
    await watched.end()


async def test_a_topic_that_is_not_shown_for_a_while_is_not_missed() -> None:
    watched = Watched()
    await watched.looks()
    topic, topic_id = watched.kafka.topics.live, watched.kafka.topic_ids["orders.live"]
    del watched.kafka.topic_ids[topic]
    await watched.looks()
    watched.kafka.topic_ids[topic] = topic_id
    await watched.looks()
    await watched.end()


async def test_a_topic_that_was_not_shown_when_it_was_made_anew_is_noticed() -> None:
    watched = Watched()
    await watched.looks()
    topic = watched.kafka.topics.live
    del watched.kafka.topic_ids[topic]
    await watched.looks()
    watched.kafka.topic_ids[topic] = "another id"
    assert topic in await watched.said()


async def test_a_topic_that_is_shown_only_later_is_watched_from_then_on() -> None:
    watched = Watched()
    topic = watched.kafka.topics.live
    first = watched.kafka.topic_ids.pop(topic)
    await watched.looks()
    watched.kafka.topic_ids[topic] = first
    await watched.looks()
    watched.kafka.topic_ids[topic] = "another id"
    assert topic in await watched.said()


async def test_a_broker_that_does_not_answer_is_asked_again() -> None:
    watched = Watched()
    for nth in (2, 3, 4):
        watched.broker.link.fail(Fault.BEFORE, "topics", nth=nth)
    await watched.looks(6)
    assert watched.broker.link.struck == 3
    watched.kafka.recreate(watched.kafka.topics.events)
    assert "orders.events" in await watched.said()


def test_only_what_is_known_can_have_changed() -> None:
    assert first_changed({}, {"a": "1"}) is None
    assert first_changed({"a": "1"}, {}) is None
    assert first_changed({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"}) == "b"


@pytest.mark.parametrize("topic", Topics().all)
async def test_a_process_ends_when_a_topic_is_made_anew_and_applies_nothing_of_it(
    topic: str,
) -> None:
    world, group = World(), FakeGroup(1)
    broker = world.broker()
    async with world.process(broker, group.member()) as running:
        world.send(place("o1"))
        await running.until(lambda: world.is_caught_up() and world.is_at_rest())
        watch = broker.link.hold("topics")
        await running.until(watch.reached.is_set)
        world.kafka.topic_ids[topic] = "another id"
        watch.release()
        with pytest.raises(UsageError, match=f"{topic} was deleted and made anew.*--topic-prefix"):
            await running.fails()
    assert group.members == []
    with pytest.raises(UsageError, match=f"{topic} was deleted and made anew"):
        await world.run_task()


async def test_a_watch_that_fails_before_it_ever_knew_the_topics_says_nothing() -> None:
    watched = Watched()
    watched.broker.link.fail(Fault.BEFORE, "topics")
    await watched.looks()
    await watched.end()


async def test_a_watch_that_breaks_ends_the_process_with_what_broke_it() -> None:
    world = World()
    broker = world.broker()

    async def boom() -> None:
        raise ZeroDivisionError("simulated")

    broker.topic_ids = boom  # type: ignore[method-assign,assignment]
    async with world.process(broker, FakeGroup(1).member()) as running:
        with pytest.raises(BrokenInvariant, match="the watch over topics failed: ZeroDivisionErr"):
            await running.fails()
