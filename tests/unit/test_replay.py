"""What goes back on the input topic from a dead letter, and how it is noted."""

import pytest

from processor.core.replay import put_back
from processor.core.sharding import stream_of
from processor.wire.record import Header
from processor.wire.replay import (
    Position,
    PutBack,
    is_note,
    marked_headers,
    parse_position,
    read_note,
    replay_note,
)
from tests.builders import encode, place_fields
from tests.letters import letter

STREAMS = 7
PLACE = Position(6, 9)


def back(
    value: bytes | None,
    *,
    edited: bytes | None = None,
    max_event_bytes: int = 65_536,
    **more: object,
) -> PutBack:
    one = letter(value, **more)  # type: ignore[arg-type]
    return put_back(
        one.place, one.record, one.said,
        edited=edited, num_streams=STREAMS, max_event_bytes=max_event_bytes,
    )  # fmt: skip


def test_key_value_and_headers_are_the_producers_own_with_a_mark() -> None:
    made = back(b"\xff", key=b"\xfe", headers=[("trace", b"\x00"), ("none", None)])
    assert made.letter == PLACE
    assert made.record == (
        b"\xfe", b"\xff", [("trace", b"\x00"), ("none", None), ("replay.of", b"6/9")],
    )  # fmt: skip
    assert made.problem.startswith("malformed: ")


def test_a_mark_of_an_earlier_replay_is_replaced() -> None:
    given: list[Header] = [("replay.of", b"1/2"), ("trace", b"x")]
    assert marked_headers(given, PLACE) == [("trace", b"x"), ("replay.of", b"6/9")]


@pytest.mark.parametrize(
    ("value", "key", "partition"),
    [
        (encode(**place_fields(user_id="carol")), b"bob", stream_of("carol", STREAMS)),
        (encode(**place_fields(user_id="carol", amount="-1")), None, stream_of("carol", STREAMS)),
        (encode(type="pause", order_id="o1"), b"bob", stream_of("bob", STREAMS)),
        (b"no event", b"bob", stream_of("bob", STREAMS)),
        (b"no event", None, 6),
        (None, None, 6),
    ],
    ids=["the user", "the user of a refused event", "the key", "a key", "neither", "nothing"],
)
def test_the_user_decides_the_partition_then_the_key_then_where_it_was(
    value: bytes | None, key: bytes | None, partition: int
) -> None:
    made = back(value, key=key)
    assert (made.partition, made.record[0]) == (partition, key)


def test_an_edited_event_has_the_key_of_its_user() -> None:
    mended = encode(**place_fields(user_id="carol"))
    made = back(b"{", edited=mended)
    assert made.record[:2] == (b"carol", mended)
    assert made.partition == stream_of("carol", STREAMS)
    assert made.problem == ""


def test_an_edited_event_without_a_user_keeps_the_key() -> None:
    assert back(b"{", edited=encode(type="pause", order_id="o1")).record[0] == b"bob"


def test_what_would_be_refused_again_says_why() -> None:
    assert back(b'{"type":"buy"}').problem.startswith("invalid: type: must be one of")
    valid = encode(**place_fields())
    assert back(valid).problem == ""
    assert back(valid, max_event_bytes=100).problem.startswith("too_large: ")


def test_a_note_tells_letter_and_event_and_is_told_from_letters() -> None:
    headers = replay_note(PLACE, Position(3, 2**62))
    assert is_note(None, headers)
    assert read_note(headers) == (PLACE, Position(3, 2**62))
    assert not is_note(b"", headers)
    assert not is_note(None, letter(None, headers=headers).record.headers)


@pytest.mark.parametrize("text", ["", "1", "1/", "/1", "1/2 ", "1/-2", "1/2/3", "a/1", "²/1"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not PARTITION/OFFSET"):
        parse_position(text)


@pytest.mark.parametrize("value", [None, b"", b"\xff", b"x/y"])
def test_a_note_of_somebody_else_is_refused(value: bytes | None) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_note([("replay.of", value), ("replay.as", b"1/2")])
