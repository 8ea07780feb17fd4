"""One fault at each call of a run in turn: none of them may be seen in the end."""

import itertools
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import pytest

from tests.fakes.broker import FakeBroker
from tests.fakes.link import Fault
from tests.task.world import World

AnyWorld = TypeVar("AnyWorld", bound=World)

AT_ANY_CALL: Final = pytest.mark.parametrize(
    ("fault", "call", "at_least"),
    [(Fault.BEFORE, None, 40), (Fault.AFTER, None, 40), (Fault.HALF, "commit", 6)],
    ids=["without effect", "with effect", "half a commit"],
)


async def strike_everywhere(
    make: Callable[[], AnyWorld],
    run: Callable[[AnyWorld, FakeBroker], Awaitable[None]],
    check: Callable[[AnyWorld], Awaitable[None]],
    fault: Fault,
    call: str | None = None,
    *,
    at_least: int,
) -> None:
    """Run again and again, with a fault at the first call, at the second, and so on.

    Args:
        make: a new world.
        run: what happens in it, on a broker whose link has the fault.
        check: what holds when all is done.
        fault: how the call fails.
        call: only calls of this name count; None: all.
        at_least: how many calls a run makes at the very least.
    """
    for nth in itertools.count(1):
        world = make()
        broker = world.broker()
        broker.link.fail(fault, call, nth=nth)
        try:
            await run(world, broker)
            await check(world)
        except Exception as error:
            error.add_note(f"with a fault {fault.value} call {nth} ({call or 'any'})")
            raise
        if not broker.link.struck:
            # The run was over before its nth call: the faults have been everywhere.
            assert nth > at_least
            return
