"""What the README shows is what there is."""

from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_events_that_the_readme_shows_are_those_of_the_file_that_it_sends() -> None:
    assert Path(_ROOT, "docs/events.jsonl").read_text() in Path(_ROOT, "README.md").read_text()
