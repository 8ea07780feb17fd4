"""``python -m benchmarks.late_events``: what it costs to put events in order and to know repeats.

In memory, without Kafka; prints one JSON object. Times are processor time, of the fastest of some
rounds.
"""

import json
import random
import tracemalloc
from time import process_time_ns
from typing import NamedTuple

from processor.core.event_time.event_order import EventOrder
from processor.core.event_time.finished_offsets import FinishedOffsets
from processor.core.event_time.progress_log import ProgressLog
from processor.core.event_time.released import EventRun
from processor.core.event_time.reorder import ReorderPolicy
from processor.core.event_time.seen_blocks import SeenBlocks
from processor.core.event_time.seen_ids import SeenIds, id_digest
from processor.core.orders.stream import Input, OrderStream
from processor.wire.event import Event, Refusal, parse_event

EVENTS = 200_000
ROUNDS = 5
WINDOW_MS = 1000
EVENTS_PER_S = 20_000
BATCHES = {"busy": 2000, "quiet": 20}
"""Events in a transaction."""


class _Record(NamedTuple):
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


def _event(number: int, *, with_id: bool) -> Event:
    fields: dict[str, object] = {
        "type": "place" if number % 2 == 0 else "cancel",
        "order_id": f"order-{number // 2}",
        "user_id": f"user-{number // 2 % 10_000}",
    }
    if number % 2 == 0:
        fields |= {"currency": "BTC", "amount": "1.5", "price": "50000"}
    if with_id:
        fields["event_id"] = f"00000000-0000-4000-8000-{number:012}"
    event = parse_event(json.dumps(fields).encode())
    assert not isinstance(event, Refusal)
    return event


def _inputs(jitter_ms: int, *, with_id: bool = False) -> list[Input]:
    """Events whose times are off by up to ``jitter_ms``."""
    chance = random.Random(1)
    made: list[Input] = []
    for number in range(EVENTS):
        late_us = chance.randint(0, jitter_ms * 1000)
        time_us = 10**12 + number * 1_000_000 // EVENTS_PER_S - late_us
        made.append((number, time_us, _event(number, with_id=with_id)))
    return made


def _step_ns(inputs: list[Input], seen: SeenIds | None) -> int:
    orders = OrderStream(0, 1)
    started_ns = process_time_ns()
    for first in range(0, EVENTS, 250):
        orders.step(inputs[first : first + 250], seen)
        if seen is not None:
            seen.drain()
    return process_time_ns() - started_ns


class _Reordering(NamedTuple):
    order_ns: int
    progress_bytes: int


def _reordering(inputs: list[Input], batch: int) -> _Reordering:
    """Put events in order, without applying them."""
    log = ProgressLog()
    policy = ReorderPolicy(window_ms=WINDOW_MS)
    order = EventOrder(OrderStream(0, 1), policy, FinishedOffsets(log))
    record = _Record(0, 0, None, None, [])
    order_ns = progress_bytes = released = 0
    for first in range(0, EVENTS, batch):
        some = inputs[first : first + batch]
        records = [record] * len(some)
        started_ns = process_time_ns()
        (ready,) = order.take_events(some, records, 2 * 10**12)
        order.write((first + len(some), 0))
        written = log.drain()
        order_ns += process_time_ns() - started_ns
        released += sum(len(run.inputs) for run in ready.runs if isinstance(run, EventRun))
        progress_bytes += sum(len(key or b"") + len(value or b"") for key, value, _ in written)
    assert released >= EVENTS - EVENTS_PER_S * (WINDOW_MS * 2) // 1000
    return _Reordering(order_ns, progress_bytes)


def _remembering(batch: int) -> dict[str, float]:
    """Remember twice as many ids as are kept, and write them."""
    digests = [id_digest(f"event-{number}") for number in range(2 * EVENTS)]
    seen, log = SeenIds(EVENTS), ProgressLog()
    blocks = SeenBlocks(log)
    written_bytes = 0
    for first in range(0, len(digests), batch):
        for digest in digests[first : first + batch]:
            seen.add(digest)
        blocks.write(seen)
        written_bytes += sum(len(k or b"") + len(v or b"") for k, v, _ in log.drain())
    return {f"ids_{batch}_bytes_written_an_id": round(written_bytes / len(digests), 1)}


def _memory() -> dict[str, float]:
    """Bytes an id, by what is asked of the allocator; it gives 12 more for each number."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    seen = SeenIds(EVENTS)
    for number in range(2 * EVENTS):
        seen.add(id_digest(f"event-{number}"))
        if number % 1000 == 0:
            seen.drain()
    seen.drain()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {"ids_memory_bytes_an_id": round((after - before) / len(seen), 1)}


def _held_memory() -> dict[str, float]:
    """Bytes an event that waits takes, the event itself included."""
    order = EventOrder(
        OrderStream(0, 1), ReorderPolicy(window_ms=1), FinishedOffsets(ProgressLog())
    )
    record = _Record(0, 0, None, None, [])
    held = 50_000
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for number in range(held):
        given = (number, 10**12, _event(number, with_id=True))
        list(order.take_events([given], [record], 10**12))
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {"held_memory_bytes_an_event": round((after - before) / order.held)}


def main() -> None:
    """Measure and print."""
    figures: dict[str, float] = {}
    plain, named = _inputs(0), _inputs(0, with_id=True)
    # Interleaved, so that a slow moment of the machine hits all of them.
    rounds = [
        (_step_ns(plain, None), _step_ns(plain, SeenIds(EVENTS)), _step_ns(named, SeenIds(EVENTS)))
        for _ in range(ROUNDS)
    ]
    for index, name in enumerate(("off", "on_without_ids", "on_with_ids")):
        fastest_ns = min(one[index] for one in rounds)
        figures[f"step_dedupe_{name}_us"] = round(fastest_ns / EVENTS / 1000, 2)
    for disorder, jitter_ms in (("none", 0), ("mild", 10), ("bad", WINDOW_MS)):
        inputs = _inputs(jitter_ms)
        for load, batch in BATCHES.items():
            found = [_reordering(inputs, batch) for _ in range(ROUNDS if load == "busy" else 1)]
            name = f"reorder_{disorder}_{load}"
            figures[f"{name}_us"] = round(min(one.order_ns for one in found) / EVENTS / 1000, 2)
            figures[f"{name}_bytes_written"] = round(found[0].progress_bytes / EVENTS, 2)
    for batch in BATCHES.values():
        figures |= _remembering(batch)
    figures |= _memory() | _held_memory()
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
