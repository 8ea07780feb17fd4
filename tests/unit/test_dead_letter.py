"""Dead letters: the original and what is wrong with it, always small enough to be written."""

import pytest

from processor.wire.dead_letter import DeadLetter, dead_letter, read_dead_letter, record_bytes
from processor.wire.event import Refusal
from processor.wire.record import Header

MAX_BYTES = 4096
REFUSAL = Refusal("invalid", "price: é must be a string")


def letter(
    key: bytes | None = b"k",
    value: bytes | None = b"v",
    headers: list[Header] | None = None,
    refusal: Refusal = REFUSAL,
) -> DeadLetter:
    return dead_letter(
        refusal,
        key=key,
        value=value,
        headers=headers or [],
        topic="orders.events",
        partition=3,
        offset=2**62,
        max_bytes=MAX_BYTES,
    )


def test_a_small_record_is_kept_whole_with_headers_that_explain() -> None:
    given: list[Header] = [("trace", b"\xff"), ("empty", None), ("trace", b"2")]
    made = letter(b"\xffkey", b"\xffvalue", given)
    assert (made.key, made.value) == (b"\xffkey", b"\xffvalue")
    assert made.headers == [
        *given,
        ("error.reason", b"invalid"),
        ("error.detail", rb"price: \xe9 must be a string"),
        ("source.topic", b"orders.events"),
        ("source.partition", b"3"),
        ("source.offset", b"4611686018427387904"),
    ]


@pytest.mark.parametrize("key", [None, b"", b"k"])
@pytest.mark.parametrize("value", [None, b"", b"v"])
def test_null_and_empty_stay_apart(key: bytes | None, value: bytes | None) -> None:
    made = letter(key, value)
    assert (made.key, made.value) == (key, value)


HUGE = b"x" * 1_000_000


@pytest.mark.parametrize(
    ("key", "value", "headers"),
    [
        (HUGE, None, []),
        (None, HUGE, []),
        (b"k", b"v", [("h", HUGE)]),
        (b"k", b"v", [("h" * 250_000, None)]),
        (b"k", b"v", [("", b"")] * 10_000),
        (HUGE, HUGE, [("h", HUGE)]),
        (b"k", b"x" * MAX_BYTES, []),
    ],
    ids=["key", "value", "header", "header name", "many headers", "all", "value at the limit"],
)
def test_what_does_not_fit_is_cut_and_says_so(
    key: bytes | None, value: bytes | None, headers: list[Header]
) -> None:
    made = letter(key, value, headers)
    assert record_bytes(made.key, made.value, made.headers) <= MAX_BYTES
    assert ("error.truncated", b"true") in made.headers
    assert (key or b"").startswith(made.key or b"")
    assert (value or b"").startswith(made.value or b"")


def test_where_it_came_from_is_never_cut() -> None:
    names = {name for name, _ in letter(HUGE, HUGE, [("h", HUGE)]).headers}
    assert names >= {"error.reason", "error.detail", "source.topic", "source.offset"}


def test_a_cut_value_uses_the_room_there_is() -> None:
    made = letter(b"k", HUGE)
    assert record_bytes(made.key, made.value, made.headers) == MAX_BYTES


def test_headers_go_first_so_that_key_and_value_stay_whole() -> None:
    made = letter(b"k" * 2500, b"v", [("h", HUGE)])
    assert (made.key, made.value) == (b"k" * 2500, b"v")


@pytest.mark.parametrize("detail", ["é" * 400, "\x00\u2028😀", "x" * 5000])
def test_the_detail_is_ascii_and_bounded(detail: str) -> None:
    made = letter(refusal=Refusal("invalid", detail))
    text = dict(made.headers)["error.detail"]
    assert text is not None
    assert text.isascii()
    assert len(text) <= 1024


def test_what_a_letter_says_is_told_from_the_producers_headers() -> None:
    theirs: list[Header] = [("error.reason", b"mine"), ("trace", b"abc")]
    read = read_dead_letter(letter(headers=theirs).headers)
    assert (read.is_ours, read.reason, read.truncated) == (True, "invalid", False)
    assert (read.source_topic, read.source_partition, read.source_offset) == (
        "orders.events",
        3,
        2**62,
    )
    assert read.headers == theirs


def test_a_letter_that_was_cut_says_so() -> None:
    read = read_dead_letter(letter(value=b"x" * MAX_BYTES).headers)
    assert (read.is_ours, read.truncated, read.headers) == (True, True, [])


@pytest.mark.parametrize(
    "headers", [[], [("trace", b"abc")], [("error.reason", b"x"), ("error.detail", b"\xff")]]
)
def test_a_letter_that_somebody_else_wrote_is_told_as_such(headers: list[Header]) -> None:
    read = read_dead_letter(headers)
    assert (read.is_ours, read.headers) == (False, headers)
