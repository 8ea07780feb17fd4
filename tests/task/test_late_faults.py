"""Whatever fails, whenever, while events wait and ids are kept: the answers stay the same."""

import random
from functools import partial
from typing import Any

import pytest

from tests.fakes.broker import FakeBroker
from tests.fakes.group import FakeGroup
from tests.fakes.link import Fault
from tests.task.events import cancel, cancel_all, pause, place, resume
from tests.task.faults import AT_ANY_CALL, strike_everywhere
from tests.task.late_world import WINDOW_MS, Fields, LateWorld, at, late_settings

SETTINGS = late_settings(late_events="reject", max_events=12, dedupe_events=20)
ROUNDS = 5
EVENTS_PER_ROUND = 8
DYING = ["fence", "committed", "bounds", "read", "topics", "commit", "end"]


def _events(rng: random.Random, now_ms: int, users: list[str]) -> list[Fields | bytes]:
    """Off by up to two windows, one in four a repeat, and now and then one that is none."""

    def one() -> Fields | bytes:
        kind = rng.randrange(12)
        if kind == 11:
            return b"bad" if rng.random() < 0.5 else at(10**8, place("early"))
        user = rng.choice(users)
        order_id = f"{user}-{rng.randrange(6)}"  # ids of two users would race for the directory
        event: dict[str, Any] = place(order_id, user, price=str(rng.randrange(1, 100)))
        if kind == 10:
            event = cancel_all(user)
        elif kind > 4:
            event = {**[pause, resume, cancel][kind % 3](order_id), "user_id": user}
        time_ms = now_ms + rng.randrange(-WINDOW_MS, WINDOW_MS)
        return at(time_ms, event, event_id=f"e{rng.randrange(60)}")

    return [one() for _ in range(EVENTS_PER_ROUND)]


def _world() -> LateWorld:
    return LateWorld(settings=SETTINGS)


async def _run(world: LateWorld, broker: FakeBroker, seed: int) -> None:
    """A process while events keep coming, until none waits any more."""
    rng = random.Random(seed)
    async with world.process(broker, FakeGroup(1).member()) as running:
        for number in range(ROUNDS):
            world.clock.advance(10)
            await world.read(running, *_events(rng, number * WINDOW_MS, ["alice", "bob"]))
        await world.let_go(running)


async def _undisturbed(seed: int) -> LateWorld:
    world = _world()
    await _run(world, world.broker(), seed)
    return world


@AT_ANY_CALL
@pytest.mark.parametrize("seed", [1, 2])
async def test_a_fault_at_any_call_changes_no_answer(
    seed: int, fault: Fault, call: str | None, at_least: int
) -> None:
    undisturbed = await _undisturbed(seed)

    async def check(world: LateWorld) -> None:
        assert world.answers() == undisturbed.answers()
        assert await world.listed() == await undisturbed.listed()
        assert world.letters() == undisturbed.letters()

    await strike_everywhere(_world, partial(_run, seed=seed), check, fault, call, at_least=at_least)


async def test_the_events_of_these_tests_come_out_of_order_late_early_and_again() -> None:
    told = [one for seed in (1, 2) for one in (await _undisturbed(seed)).outcomes()]
    offsets = [int(one.partition(":")[0]) for one in told]
    assert offsets != sorted(offsets)
    reasons = {one.partition(": ")[2] for one in told}
    assert reasons >= {"applied", "too_late", "too_early", "duplicate_event", "malformed"}


@pytest.mark.parametrize("seed", range(6))
async def test_one_kill_after_another_changes_no_answer(seed: int) -> None:
    rng = random.Random(seed)
    world, calm = _world(), _world()
    async with calm.task() as undisturbed:
        for number in range(12):
            events = _events(random.Random(f"{seed} {number}"), number * WINDOW_MS, ["alice"])
            await calm.read(undisturbed, *events)
            world.send(*events)
            broker = world.broker()
            dying = broker.link.hold(rng.choice(DYING), nth=rng.randrange(1, 4))
            async with world.task(broker) as running:
                await running.until(
                    lambda: running.job.done() or dying.reached.is_set() or world.has_read(),  # noqa: B023
                    "the kill",
                )
                await running.kill()
        await calm.let_go(undisturbed)
    async with world.task() as running:
        await running.until(world.has_read)
        await world.let_go(running)
    assert world.answers() == calm.answers()
    assert await world.listed() == await calm.listed()


async def _round_trips(world: LateWorld, broker: FakeBroker) -> None:
    """Two streams read each other's events; all wait where they are finished, up to the end."""
    rng = random.Random(3)
    async with world.all_streams(broker) as running:
        for _ in range(3):
            for stream in (0, 1):
                world.send(*_events(rng, 0, world.users), stream=stream)
            await running.until(lambda: all(map(world.has_read, (0, 1))), "read")
            await running.until(lambda: all(map(_has_read_routed(world), (0, 1))), "routed")
        await world.let_go(running)
    await world.check_all()


def _has_read_routed(world: LateWorld) -> Any:
    def has_read(stream: int) -> bool:
        log = world.kafka.log(world.topics.routed, stream)
        last = max((one.offset for one in log.records()), default=-1)
        return log.stable_end == log.end and world.routed_read(stream) > last

    return has_read


@pytest.mark.parametrize("fault", Fault)
async def test_a_fault_at_any_commit_of_forwarded_events_that_wait_changes_no_answer(
    fault: Fault,
) -> None:
    settings = late_settings(window_ms=3 * WINDOW_MS, late_events="reject", dedupe_events=20)
    undisturbed = LateWorld(2, settings=settings)
    await _round_trips(undisturbed, undisturbed.broker())

    async def check(world: LateWorld) -> None:
        assert world.finals() == undisturbed.finals()
        assert await world.listed() == await undisturbed.listed()

    await strike_everywhere(
        lambda: LateWorld(2, settings=settings), _round_trips, check, fault, "commit", at_least=8
    )
