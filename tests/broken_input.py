"""What must hold whatever bytes come in: the target of the fuzz tests.

The path is the real one: records, `read_inputs`, the core, answers, dead letters, and what the
command line shows of them.
"""

import json
from collections.abc import Sequence
from typing import NamedTuple

from processor.cli.dead_letters.lines import dead_letter_json, dead_letter_line, dead_letter_shape
from processor.cli.dead_letters.view import letter_view
from processor.cli.render.answer_lines import answer_line
from processor.cli.terminal.output import plain
from processor.core.orders.records import answer_records, live_records
from processor.core.orders.stream import OrderStream
from processor.reader.dead_letters import letter_of
from processor.task.event_inputs import read_inputs
from processor.wire.answer import ANSWER, parse_answer
from processor.wire.dead_letter import dead_letter, read_dead_letter, record_bytes
from processor.wire.event import Refusal
from processor.wire.live_order import parse_live_order
from processor.wire.record import Header
from tests.model import NaiveSystem
from tests.naive_event import read_event

MAX_EVENT_BYTES = 2_000
MAX_LETTER_BYTES = 2_400
# Ids of 64 characters of 4 bytes or of 6 when they are escaped, and little more.
MAX_ANSWER_BYTES = 2_000
_AT_MS = 1_700_000_000_000
_TIMES = ("placed_at", "updated_at")


class Input(NamedTuple):
    """A record as read."""

    offset: int
    value: bytes | None
    timestamp: int = _AT_MS
    key: bytes | None = None
    headers: Sequence[Header] = ()


_PLACE = b'{"type":"place","order_id":"o","user_id":"u","currency":"C","price":1,"amount":%b}'

NASTY: dict[str, bytes | None] = {
    "null": None,
    "empty": b"",
    "deep lists": b"[" * 1_500,
    "deep objects": b'{"a":' * 300 + b"1" + b"}" * 300,
    "deep in a field": b'{"type":"pause","order_id":' + b"[" * 900 + b"]" * 900 + b"}",
    "1e400": _PLACE % b"1e400",
    "1e-400": _PLACE % b"1e-400",
    "an exponent without end": _PLACE % b"1e99999999999999999999",
    "1,500 digits": _PLACE % (b"9" * 1_500),
    "1,500 digits of schema": b'{"type":"pause","order_id":"o","schema":' + b"1" * 1_500 + b"}",
    "a field twice": b'{"type":"pause","order_id":"a","order_id":"b"}',
    "a field twice, once escaped": b'{"type":"pause","order_id":"a","order\\u005fid":"b"}',
    "many names": b"{" + b",".join(b'"%d":0' % number for number in range(200)) + b"}",
    "one name many times": b"{" + b",".join([b'"a":0'] * 300) + b"}",
    "a lone surrogate": b'{"type":"pause","order_id":"\\ud800"}',
    "a lone surrogate in UTF-8": b'{"type":"pause","order_id":"\xed\xa0\x80"}',
    "a lone surrogate in a name": b'{"\\udfff":1}',
    "a byte order mark": b'\xef\xbb\xbf{"type":"pause","order_id":"o1"}',
    "UTF-16": '{"type":"pause","order_id":"o1"}'.encode("utf-16"),
    "control characters": b'{"type":"pause","order_id":"\\u0000\\u0007\\r\\n"}',
    "a raw control character": b'{"type":"pause","order_id":"\x07"}',
    "a terminal escape in an id": b'{"type":"pause","order_id":"\\u001b[2J\\u001b]0;x\\u0007"}',
    "a terminal escape in an event id": b'{"type":"pause","order_id":"o","event_id":"\\u001b[31m"}',
    "a terminal escape in a name": b'{"\\u001b[31m":1}',
    "text that runs backwards": '{"type":"pause","order_id":"\u202eo"}'.encode(),
    "a long event": b'{"type":"pause","order_id":"' + b"x" * 5_000 + b'"}',
    "a long name": b'{"type":"pause","' + b"x" * 1_900 + b'":1}',
    "NaN": _PLACE % b"NaN",
    "two values": b'{"type":"pause","order_id":"o"}{"type":"cancel","order_id":"o"}',
}
"""Inputs that have broken somebody's parser."""


def judge(values: Sequence[bytes | None]) -> None:
    """Check that a stream takes these inputs as it must.

    Raises:
        AssertionError: it does not.
    """
    inputs = [Input(offset, value) for offset, value in enumerate(values)]
    refused: list[tuple[Input, Refusal]] = []
    orders = OrderStream(0, 1)
    decisions, changes = orders.step(
        read_inputs(inputs, MAX_EVENT_BYTES, lambda record, why: refused.append((record, why)))  # type: ignore[arg-type]
    )
    model = NaiveSystem(1)
    events = [None if _is_too_large(one) else read_event(one) for one in values]
    expected = [{} if event is None else model.apply(0, event) for event in events]

    answers = answer_records((0, decision) for decision in decisions)
    _check_answers(inputs, [value or b"" for _, value, _ in answers], expected)
    assert [record.offset for record, _ in refused] == [
        offset for offset, event in enumerate(events) if event is None
    ]
    for record, refusal in refused:
        assert (refusal.reason == "too_large") == _is_too_large(record.value)
        _check_letter(record, refusal)
    for _key, value, _headers in live_records(0, changes):
        assert value is None or parse_live_order(value)
    found = [parse_live_order(value or b"") for _, value, _ in live_records(0, orders.orders())]
    kept = [{k: v for k, v in one.items() if k not in _TIMES} for one in model.orders(0)]
    assert [{k: v for k, v in one.items() if k not in _TIMES} for one in found] == kept


def _is_too_large(value: bytes | None) -> bool:
    return len(value or b"") > MAX_EVENT_BYTES


def _check_answers(
    inputs: list[Input], answers: list[bytes], expected: list[dict[str, object]]
) -> None:
    """One answer for each input, which any reader can read, and which is safe to show."""
    assert len(answers) == len(inputs)
    for record, value, wanted in zip(inputs, answers, expected, strict=True):
        answer = parse_answer(value)
        assert (
            value
            == ANSWER.dump_json(answer)
            == json.dumps(json.loads(value), ensure_ascii=False, separators=(",", ":")).encode()
        )
        assert len(value) <= MAX_ANSWER_BYTES
        assert answer["input"] == {"partition": 0, "offset": record.offset}
        assert answer_line(answer, plain).isprintable()
        if wanted:
            told = {name: answer.get(name) for name in ("result", "reason", "count")}
            assert {name: text for name, text in told.items() if text is not None} == wanted
        else:
            assert answer["result"] == "rejected"
            assert answer.get("reason") in ("malformed", "invalid", "too_large")


def _check_letter(record: Input, refusal: Refusal) -> None:
    """It fits, tells what and where, has the bytes or says that they are cut, and is safe."""
    letter = dead_letter(
        refusal,
        key=record.key,
        value=record.value,
        headers=record.headers,
        topic="orders.events",
        partition=0,
        offset=record.offset,
        max_bytes=MAX_LETTER_BYTES,
    )
    assert record_bytes(letter.key, letter.value, letter.headers) <= MAX_LETTER_BYTES
    read = read_dead_letter(letter.headers)
    assert read.is_ours
    assert (read.source_offset, read.reason) == (record.offset, refusal.reason)
    assert read.detail
    assert read.detail.isascii()
    assert read.truncated == (letter.value != record.value)
    assert (record.value or b"").startswith(letter.value or b"")
    shown = letter_of(0, record._replace(value=letter.value, headers=letter.headers))
    assert dead_letter_line(shown, dead_letter_shape(100)).isprintable()
    assert all(line.isprintable() for line in letter_view(shown, "orders.events", plain))
    text = dead_letter_json(shown)
    assert text.isprintable()
    assert json.loads(text)["reason"] == refusal.reason
