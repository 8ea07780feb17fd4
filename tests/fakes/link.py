"""The way from one process to the fake Kafka, and what goes wrong on it."""

import asyncio
from dataclasses import dataclass, field
from enum import Enum

from processor.errors import TaskLost


class Fault(Enum):
    """How a call fails."""

    BEFORE = "before"
    """Without any effect."""
    HALF = "half"
    """A commit: all is written, the transaction stays open. Any other call: as `BEFORE`."""
    AFTER = "after"
    """With its full effect, which the caller does not get to know."""


@dataclass(eq=False)
class Hold:
    """A call that waits until it is let go."""

    call: str
    left: int = 1
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        """Let it go."""
        self.released.set()


@dataclass
class _Plan:
    fault: Fault
    call: str | None
    left: int


class Link:
    """Counts one process's calls, and makes those fail or wait that a test has chosen.

    Calls: fence, committed, bounds, topics, describe, abort, read, fetch, commit, purge; and end,
    the part of a commit that comes when all is written.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.struck = 0
        self._plans: list[_Plan] = []
        self._holds: list[Hold] = []
        self._cut = False

    def fail(self, fault: Fault, call: str | None = None, *, nth: int = 1) -> None:
        """Let a call fail once: the nth from now on, of that name or of any."""
        self._plans.append(_Plan(fault, call, nth))

    def hold(self, call: str, *, nth: int = 1) -> Hold:
        """Let the nth call of that name wait, counted from now."""
        hold = Hold(call, nth)
        self._holds.append(hold)
        return hold

    def cut(self) -> None:
        """What kill -9 does: nothing of this process reaches Kafka any more, no farewell either."""
        self._cut = True

    @property
    def is_cut(self) -> bool:
        """Whether it does."""
        return self._cut

    async def reach(self, call: str) -> Fault | None:
        """Make a call; a fault that is not `BEFORE` is the caller's to carry out."""
        await asyncio.sleep(0)
        for hold in self._holds:
            hold.left -= hold.call == call
        due = next((hold for hold in self._holds if hold.left == 0), None)
        if due is not None:
            self._holds.remove(due)
            due.reached.set()
            await due.released.wait()
        return self.strike(call)

    def strike(self, call: str) -> Fault | None:
        """The part of `reach` that does not wait."""
        if self._cut:
            raise TaskLost(f"{call}: the link is cut")
        self.calls.append(call)
        for plan in self._plans:
            plan.left -= plan.call in (None, call)
        due = [plan for plan in self._plans if plan.left == 0]
        if not due:
            return None
        self._plans = [plan for plan in self._plans if plan.left > 0]
        self.struck += 1
        fault = due[0].fault
        if fault is Fault.BEFORE or (fault is Fault.HALF and call != "commit"):
            raise TaskLost(f"{call}: a fault before it")
        return fault
