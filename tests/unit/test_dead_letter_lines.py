"""What dead letters look like, in lists and whole."""

import json

import pytest

from processor.cli.dead_letters.lines import (
    dead_letter_json,
    dead_letter_line,
    dead_letter_shape,
)
from processor.cli.dead_letters.view import letter_view, value_lines
from processor.cli.render.json_layout import compacted, indented
from processor.cli.terminal.output import plain
from processor.reader.dead_letters import Letter, Replay
from processor.wire.replay import Position
from tests.letters import AT, AT_MS, letter, strange_letter

EVIL = "\x1b[31m\u202e[red]"
REPLAY = Replay(Position(6, 17), AT_MS * 1000)


PIPE = dead_letter_shape(None)


def view(one: Letter) -> list[str]:
    return list(letter_view(one, "orders.events", plain))


def test_a_line_has_its_place_the_events_place_and_why() -> None:
    line = dead_letter_line(letter(), PIPE)
    assert line.split("  ")[0] == "6/9"
    assert f"{AT}  6/2 " in line
    assert "invalid: amount: must be greater than 0" in line
    assert "put back" not in line


def test_a_line_says_as_which_event_it_was_put_back() -> None:
    assert "(put back as 6/17)" in dead_letter_line(letter(replays=[REPLAY]), PIPE)


@pytest.mark.parametrize("room", [40, 80, 100, 130, 200])
def test_on_a_terminal_a_line_fits_and_tells_what_was_put_back(room: int) -> None:
    long = letter(b"x" * 500, detail="d" * 500, replays=[REPLAY])
    line = dead_letter_line(long, dead_letter_shape(room))
    assert len(line) <= room
    assert "… (put back as 6/17)" in line
    assert line.startswith("6/9 ")


def test_json_has_everything() -> None:
    assert json.loads(dead_letter_json(letter(b"\xff", replays=[REPLAY]))) == {
        "letter": {"partition": 6, "offset": 9},
        "written_at": AT,
        "source": {"topic": "orders.events", "partition": 6, "offset": 2},
        "reason": "invalid",
        "detail": "amount: must be greater than 0",
        "key": "bob",
        "value_base64": "/w==",
        "headers": [{"name": "trace", "value": "abc"}],
        "replays": [{"event": {"partition": 6, "offset": 17}, "at": AT}],
    }


def test_the_whole_view_has_everything() -> None:
    assert view(letter(b'{"type":"buy"}', replays=[REPLAY])) == [
        "letter      6/9",
        f"written at  {AT}",
        "event       orders.events 6/2",
        "reason      invalid",
        "detail      amount: must be greater than 0",
        "key         bob",
        "header      trace: abc",
        f"put back    as orders.events 6/17 at {AT}",
        "value       14 bytes",
        "",
        "{",
        '  "type": "buy"',
        "}",
    ]


def test_the_view_tells_no_value_from_an_empty_one_and_what_was_cut() -> None:
    assert view(letter(None))[-1] == "value       (no value)"
    assert view(letter(b""))[-1] == "value       0 bytes"
    assert any(line.startswith("cut ") for line in view(letter(b"x" * 900, max_bytes=800)))


def test_nothing_in_a_letter_can_act() -> None:
    for value in (
        f"{EVIL}\r\n{EVIL}".encode(),
        EVIL.encode() + b"\xff\x1b",
        json.dumps(EVIL).encode(),
    ):
        evil = letter(
            value,
            detail=f"{EVIL}: unknown field",
            key=EVIL.encode(),
            headers=[(EVIL, EVIL.encode())],
        )
        assert dead_letter_line(evil, PIPE).isprintable()
        assert dead_letter_json(evil).isprintable()
        assert all(line.isprintable() for line in view(evil))


def test_a_letter_that_somebody_else_wrote_is_shown_as_such() -> None:
    assert "not the processor's" in dead_letter_line(strange_letter(), PIPE)
    assert "reason" not in json.loads(dead_letter_json(strange_letter()))
    assert "event       unknown: the letter is not the processor's" in view(strange_letter())


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        (
            b'{"a":1e400,"a":0.10,"b":{},"c":[]}',
            ["{", '  "a": 1e400,', '  "a": 0.10,', '  "b": {},', '  "c": []', "}"],
        ),
        (b'{"a":"{\\"x\\": [1,2]}"}', ["{", '  "a": "{\\"x\\": [1,2]}"', "}"]),
        (b'[1,{"a":"\\u001b"}]', ["[", "  1,", "  {", '    "a": "\\u001b"', "  }", "]"]),
        (b'{"a"\n\x1b', ['{"a"', "\\x1b"]),
        (b"plain", ["plain"]),
        (
            b"\xff\x00AB" + b"\x1b" * 13,
            [
                "00000000  ff 00 41 42 1b 1b 1b 1b 1b 1b 1b 1b 1b 1b 1b 1b  ..AB............",
                "00000010  1b                                               .",
            ],
        ),
    ],
    ids=["repeated names", "brackets in text", "nested", "no JSON", "text", "bytes"],
)  # fmt: skip
def test_a_value_is_shown_exactly_and_safely(value: bytes, lines: list[str]) -> None:
    assert list(value_lines(value)) == lines


def test_what_is_nested_deeply_does_not_grow_without_end() -> None:
    value = b'{"a":' * 500 + b"1" + b"}" * 500
    assert sum(map(len, value_lines(value))) < 3 * len(value)


def test_every_piece_of_json_stays_as_it_was_written() -> None:
    text = '{"b":[1.50,-0,1E+2,{"x":[]},[{}]],"a":"\\u00e9 \\" : , {","a":null,"c":{"d":true}}'
    laid_out = indented(text)
    assert laid_out is not None
    assert compacted(laid_out) == text
