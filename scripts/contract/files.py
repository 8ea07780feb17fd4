"""What is in `schemas/`, and what of it has drifted."""

import json
from pathlib import Path
from typing import Final

from scripts.contract.examples import EXAMPLES
from scripts.contract.records import RECORDS

FOLDER: Final = Path(__file__).parents[2] / "schemas"


def contract_files() -> dict[str, str]:
    """The text of each file that is made, under its path in `schemas/`."""
    schemas = {f"{one.name}.schema.json": one.schema for one in RECORDS}
    examples = {f"examples/{name}.json": json.loads(value) for name, value in EXAMPLES.items()}
    return {path: _text(content) for path, content in (schemas | examples).items()}


def drifted(folder: Path = FOLDER) -> dict[str, str | None]:
    """The files that are not as they must be, with the text that they must have.

    Returns:
        Under each file's path in the folder its text, None for a file that must go.
    """
    made = contract_files()
    found = {str(path.relative_to(folder)): path for path in folder.glob("**/*.json")}
    changed: dict[str, str | None] = {
        path: text
        for path, text in made.items()
        if path not in found or found[path].read_text(encoding="utf-8") != text
    }
    return changed | dict.fromkeys(found.keys() - made.keys())


def write(changed: dict[str, str | None], folder: Path = FOLDER) -> None:
    """Make the files as they must be."""
    for path, text in changed.items():
        if text is None:
            (folder / path).unlink()
        else:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")


def _text(content: object) -> str:
    """As ASCII: some characters of the patterns cannot be seen."""
    return json.dumps(content, indent=2) + "\n"
