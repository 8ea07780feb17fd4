"""Editing dead letters: the parts that need no editor."""

import tempfile
from pathlib import Path

import pytest

from processor.cli.dead_letters.edit import Edited
from processor.wire.replay import Position


def test_what_was_edited_is_kept_a_file_a_letter_where_the_editor_can_copy_it_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    edited = Edited(unsent={Position(6, 0): b"one", Position(6, 9): b"two"})
    folder = Path(edited.kept().removeprefix("what was edited is kept in "))
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o077 == 0
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {
        "letter-6-0.json": b"one",
        "letter-6-9.json": b"two",
    }
