"""Reading lines from files and pipes."""

import os
from pathlib import Path

import pytest

from processor.cli.terminal import stdin_lines
from processor.cli.terminal.stdin_lines import numbered_lines
from processor.errors import UsageError


async def nothing() -> None:
    """Nobody needs to know."""


async def read(path: Path) -> list[tuple[int, bytes]]:
    with path.open("rb", buffering=0) as file:
        return [pair async for pair in numbered_lines(file.fileno(), nothing)]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"a\nb\n", [(1, b"a"), (2, b"b")]),
        (b"a\r\nb", [(1, b"a"), (2, b"b")]),
        (b"\n\n  \na", [(4, b"a")]),
        (b"a\n\n", [(1, b"a")]),
    ],
)
async def test_lines_are_numbered_and_blank_ones_left_out(
    tmp_path: Path, content: bytes, lines: list[tuple[int, bytes]]
) -> None:
    path = tmp_path / "lines"
    path.write_bytes(content)
    assert await read(path) == lines


async def test_a_line_over_several_blocks_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stdin_lines, "_BLOCK_BYTES", 3)
    path = tmp_path / "lines"
    path.write_bytes(b"abcdefgh\nij\nk")
    assert await read(path) == [(1, b"abcdefgh"), (2, b"ij"), (3, b"k")]


async def test_a_line_without_an_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stdin_lines, "_MAX_LINE_BYTES", 10)
    path = tmp_path / "lines"
    path.write_bytes(b"a\n" + b"b" * 11)
    with pytest.raises(UsageError, match="line 2 is longer"):
        await read(path)


async def test_before_it_waits_for_a_pipe_it_says_so() -> None:
    reading, writing = os.pipe()
    waits = 0
    found: list[bytes] = []

    async def on_wait() -> None:
        nonlocal waits
        waits += 1
        # The first time something comes, the second time the end.
        if waits == 1:
            os.write(writing, b"a\n")
        else:
            assert found == [b"a"]
            os.close(writing)

    async for _, line in numbered_lines(reading, on_wait):
        found.append(line)
    os.close(reading)
    assert (found, waits) == ([b"a"], 2)
