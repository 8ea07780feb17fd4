"""The real task over the fakes, fed with whatever bytes come: it answers each, and goes on."""

import asyncio
import gc
import json
import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st

from processor.core.orders.stream import OrderStream
from processor.task.committer import RoundSettings
from processor.task.context import TaskSettings
from processor.task.event_inputs import read_inputs
from processor.wire.answer import parse_answer
from processor.wire.dead_letter import read_dead_letter, record_bytes
from processor.wire.event import Refusal
from tests.broken_input import MAX_EVENT_BYTES, MAX_LETTER_BYTES, NASTY, Input
from tests.naive_event import read_event
from tests.task.events import pause, place
from tests.task.world import World

_SETTINGS = TaskSettings(max_event_bytes=MAX_EVENT_BYTES, max_dead_letter_bytes=MAX_LETTER_BYTES)
_ROUNDS = RoundSettings(max_events=7, min_interval_ms=0)
_GOOD = [
    json.dumps(one).encode()
    for one in (place("o1"), place("o2"), pause("o1", "alice"), pause("o2", "alice"))
]


async def check(values: list[bytes | None]) -> None:
    """One answer for each input, one dead letter for each that is no event, and the table."""
    world = World(settings=_SETTINGS, rounds=_ROUNDS)
    world.send(*values)
    await world.run_task()
    await world.check()
    answers = [parse_answer(one.value or b"") for one in world.records(world.topics.results)]
    refused = [
        offset
        for offset, value in enumerate(values)
        if len(value or b"") > MAX_EVENT_BYTES or read_event(value) is None
    ]
    reasons = {one["input"]["offset"]: one.get("reason") for one in answers}
    letters = world.records(world.topics.dead_letters)
    read = [read_dead_letter(letter.headers) for letter in letters]
    assert [one.source_offset for one in read] == refused
    assert [one.reason for one in read] == [reasons[offset] for offset in refused]
    for letter in letters:
        assert record_bytes(letter.key, letter.value, letter.headers) <= MAX_LETTER_BYTES


async def test_nasty_inputs_among_events() -> None:
    await check([one for value in NASTY.values() for one in (*_GOOD, value)])


_values = st.one_of(
    st.none(), st.binary(max_size=40), st.sampled_from([*NASTY.values(), *_GOOD, *_GOOD])
)


@settings(max_examples=30, deadline=None)
@given(st.lists(_values, min_size=1, max_size=40))
def test_any_mix_of_events_and_what_is_none(values: list[bytes | None]) -> None:
    asyncio.run(check(values))


_MANY_NAMES = b"{" + b",".join(b'"n%d":0' % number for number in range(6_000)) + b"}"
_LARGE: list[bytes | None] = [
    b"[" * 60_000,
    b'{"a":' * 12_000,
    b'{"type":"pause","order_id":' + b"9" * 60_000 + b"}",
    b'{"type":"pause","order_id":"' + b"\\u001b" * 10_000 + b'"}',
    _MANY_NAMES,
    _MANY_NAMES[:-1] + b"," + _MANY_NAMES[1:],
    b"{" + b",".join([b'"a":0'] * 10_000) + b"}",
]


def _take(orders: OrderStream, values: list[bytes | None]) -> None:
    refused: list[Refusal] = []
    inputs = [Input(offset, value) for offset, value in enumerate(values)]
    orders.step(read_inputs(inputs, 65_536, lambda _record, why: refused.append(why)))
    assert len(refused) == len(values)


def test_broken_inputs_leave_nothing_in_memory_and_need_little() -> None:
    orders = OrderStream(0, 1)
    broken = [value for value in NASTY.values() if read_event(value) is None] + _LARGE

    def take_all(number: int) -> None:
        _take(orders, [*broken, *(b'{"type":"x%d-%d"}' % (number, one) for one in range(100))])

    tracemalloc.start()
    try:
        take_all(-1)  # what is made once, such as caches
        gc.collect()  # errors leave cycles, which are no leak
        before, _ = tracemalloc.get_traced_memory()
        for number in range(10):
            take_all(number)
        _, peak = tracemalloc.get_traced_memory()
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 50_000
    assert peak - before < 100 * 65_536
