"""A world whose events have times of their own, and words for what waits."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from processor.core.event_time.reorder import ReorderPolicy
from processor.core.orders.snapshot import SnapshotPolicy
from processor.task.context import TaskSettings
from tests.task.directory_world import DirectoryWorld
from tests.task.world import Running

Fields = dict[str, Any]
WINDOW_MS = 1_000
IDLE_MS = 2_000


def at(time_ms: int, event: Fields, **more: Any) -> Fields:
    """An event, that many milliseconds after the time at which fake clocks begin."""
    time = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)
    return {**event, "occurred_at": time.isoformat(timespec="milliseconds"), **more}


def late_settings(
    *,
    window_ms: int = WINDOW_MS,
    late_events: Literal["apply", "reject"] = "apply",
    max_events: int = 100_000,
    dedupe_events: int = 0,
) -> TaskSettings:
    """With a window, quick snapshots, and no memory of ids unless one is wanted."""
    return TaskSettings(
        dedupe_events=dedupe_events,
        reorder=ReorderPolicy(
            window_ms=window_ms, idle_ms=IDLE_MS, late_events=late_events, max_events=max_events
        ),
        snapshots=SnapshotPolicy(interval_ms=5),
    )


class LateWorld(DirectoryWorld):
    """One stream, unless asked for others."""

    def __init__(self, num_streams: int = 1, *, settings: TaskSettings | None = None) -> None:
        super().__init__(num_streams, settings=settings or late_settings())

    def has_read(self, stream: int = 0) -> bool:
        """Whether all events were read, as committed; they may wait."""
        if self.committed_offset(stream) < 0:
            return False
        mark = self.position(stream).get("reorder")
        end = self.kafka.log(self.topics.events, stream).stable_end
        return end == (self.committed_offset(stream) if mark is None else mark["events_read"])

    async def read(self, running: Running, *events: Fields | bytes, stream: int = 0) -> None:
        """Send events, and wait until a task has read them."""
        self.send(*events, stream=stream)
        await running.until(lambda: self.has_read(stream), "read")

    async def let_go(self, running: Running) -> None:
        """Let the clock pass all that waits, again after each restart, until nothing does."""
        for _ in range(100):
            if self.is_at_rest():
                return
            self.clock.advance(3_600_000)
            calls = running.link.calls
            enough = calls.count("fetch") + 5
            await running.until(lambda: self.is_at_rest() or calls.count("fetch") > enough)  # noqa: B023
        raise AssertionError("something waits for ever")

    def routed_read(self, stream: int = 0) -> int:
        """Up to where a stream has read what others sent it, as committed."""
        return self.position(stream)["reorder"]["routed_read"]

    def outcomes(self, stream: int = 0) -> list[str]:
        """The answers of a stream, in short and in their order: ``offset: result``."""
        return [
            f"{answer['input']['offset']}: {answer.get('reason', answer['result'])}"
            for answer in self.answers(stream)
        ]

    def letters(self, stream: int = 0) -> list[tuple[bytes, dict[str, str]]]:
        """The dead letters of a stream: each value, and its headers."""
        return [
            (
                one.value or b"",
                {name: (value or b"").decode() for name, value in one.headers},
            )
            for one in self.records(self.topics.dead_letters, stream)
        ]
