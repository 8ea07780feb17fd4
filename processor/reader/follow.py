"""Following partitions for ever: committed records as they come, past a broker that was away."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from processor.errors import OffsetGone, TaskLost
from processor.reader.ports import Clock, Log
from processor.wire.record import InputRecord

_FETCH_RECORDS = 1000
_FETCH_TIMEOUT_MS = 1000
_PROBE_INTERVAL_S = 1.0
_PROBE_TIMEOUT_S = 3.0
_MIN_BACKOFF_S = 0.2
_MAX_BACKOFF_S = 5.0


class Audience(Protocol):
    """A listener that is told of a follower's records and outages. Must not wait."""

    def on_records(self, partition: int, records: Sequence[InputRecord]) -> None:
        """The next committed records of a partition."""

    def on_away(self, error: TaskLost) -> None:
        """The broker does not answer: it is tried again and again."""

    def on_back(self) -> None:
        """The broker answers again, and following goes on where it stopped."""

    def on_turn(self) -> None:
        """Now and then; whatever it raises ends the following."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a follower is: each partition's next offset, moved along as it reads.

    ``max_gap_ms`` is how long it may have been away: after longer, records that mattered may be
    gone from a compacted topic. None: for any time.
    """

    topic: str
    offsets: dict[int, int]
    max_gap_ms: int | None = None


async def follow(log: Log, place: Place, clock: Clock, audience: Audience) -> NoReturn:
    """Read on from a place, for ever.

    Raises:
        OffsetGone: the place is not in the log any more, or was left for too long.
    """
    seen_us = dict.fromkeys(place.offsets, clock.now_us())
    backoff_s = 0.0
    while True:
        try:
            await _probe(log, place)
            if backoff_s:
                audience.on_back()
                backoff_s = 0.0
            await _first_failure(
                _knock(log, place, audience),
                *(
                    _follow_one(log, place, partition, clock, seen_us, audience)
                    for partition in place.offsets
                ),
            )
        except TaskLost as error:
            if not backoff_s:
                audience.on_away(error)
            backoff_s = min(max(2 * backoff_s, _MIN_BACKOFF_S), _MAX_BACKOFF_S)
        await asyncio.sleep(backoff_s)
        audience.on_turn()


async def _follow_one(
    log: Log,
    place: Place,
    partition: int,
    clock: Clock,
    seen_us: dict[int, int],
    audience: Audience,
) -> NoReturn:
    reader = await log.read(place.topic, partition, place.offsets[partition])
    try:
        while True:
            records = await reader.fetch(max_records=_FETCH_RECORDS, timeout_ms=_FETCH_TIMEOUT_MS)
            now_us = clock.now_us()
            gap_ms = (now_us - seen_us[partition]) // 1000
            if place.max_gap_ms is not None and gap_ms > place.max_gap_ms:
                raise OffsetGone(f"{place.topic}/{partition} was not read for {gap_ms} ms")
            seen_us[partition] = now_us
            if records:
                audience.on_records(partition, records)
            place.offsets[partition] = reader.position
            await asyncio.sleep(0)
    finally:
        await reader.close()


async def _knock(log: Log, place: Place, audience: Audience) -> NoReturn:
    """Ask now and then whether the broker is there.

    An empty fetch cannot tell an idle partition from an unreachable broker.
    """
    while True:
        await asyncio.sleep(_PROBE_INTERVAL_S)
        audience.on_turn()
        await _probe(log, place)


async def _probe(log: Log, place: Place) -> None:
    """Raises `TaskLost` when the broker does not answer."""
    try:
        async with asyncio.timeout(_PROBE_TIMEOUT_S):
            await log.bounds(place.topic, next(iter(place.offsets)))
    except TimeoutError:
        raise TaskLost(f"no answer within {_PROBE_TIMEOUT_S:g} s") from None


async def _first_failure(*followers: Coroutine[Any, Any, NoReturn]) -> None:
    """Run all until one fails, end the others, and raise why."""
    tasks = [asyncio.ensure_future(one) for one in followers]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
