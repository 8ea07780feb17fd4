"""What tasks rely on in topics: that they are told when one is not the same any more."""

from functools import partial

import pytest

from processor.errors import TaskLost
from processor.task.ports import Broker
from tests.contract.backends import Backend
from tests.contract.reading import keys, read_to, record
from tests.waiting import eventually


async def test_every_topic_has_an_id_of_its_own_that_stays(backend: Backend) -> None:
    process, other = await backend.process(), await backend.process()
    ids = await process.broker.topic_ids()
    assert set(ids) == set(backend.topics.all)
    assert len(set(ids.values())) == len(ids)
    assert await other.broker.topic_ids() == ids


async def test_a_topic_that_is_made_anew_gets_another_id_and_the_others_keep_theirs(
    backend: Backend,
) -> None:
    process, other = await backend.process(), await backend.process()
    topic = backend.topics.claims
    before = await process.broker.topic_ids()
    await backend.recreate(topic)

    async def has_changed(broker: Broker) -> bool:
        return (await broker.topic_ids()).get(topic) not in (None, before[topic])

    for one in (process, other):
        await eventually(partial(has_changed, one.broker), what="the new id")
    after = await process.broker.topic_ids()
    changed = {name for name in backend.topics.all if after[name] != before[name]}
    assert changed == {topic}
    assert await other.broker.topic_ids() == after


async def test_whoever_reads_a_topic_that_is_made_anew_is_told_so(backend: Backend) -> None:
    broker, topic = (await backend.process()).broker, backend.topics.events
    await backend.append(topic, 0, [record("old")])
    reader = await broker.read(topic, 0, 0)
    assert keys(await read_to(reader, 1)) == ["old"]
    await backend.recreate(topic)
    await backend.append(topic, 0, [record("new"), record("not seen")])
    with pytest.raises(TaskLost):
        await read_to(reader, 2)
    await reader.close()
