"""The files of `schemas/`, and an independent validator for them."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

FOLDER = Path(__file__).parents[1] / "schemas"
SCHEMA_FILES = sorted(FOLDER.glob("*.schema.json"))
EXAMPLE_FILES = sorted(FOLDER.glob("examples/*.json"))
NAMES = sorted(path.name.removesuffix(".schema.json") for path in SCHEMA_FILES)

# What a producer or a later version may add to is not what the processor writes today.
_OPEN = ("dead-letter-headers",)


def schema(name: str) -> dict[str, Any]:
    """A schema's JSON."""
    loaded: dict[str, Any] = json.loads((FOLDER / f"{name}.schema.json").read_text())
    return loaded


@lru_cache
def validator(name: str) -> Draft202012Validator:
    """What a reader in another language would check with."""
    return Draft202012Validator(schema(name))


@lru_cache
def strict_validator(name: str) -> Draft202012Validator:
    """The same for what the processor writes itself: no field that is not in the schema."""
    closed = schema(name)
    for one in [closed, *closed.get("$defs", {}).values()]:
        if "properties" in one and name not in _OPEN:
            one["additionalProperties"] = False
    return Draft202012Validator(closed)


def schema_of_example(path: Path) -> str:
    """The name of an example's schema."""
    return path.name.partition(".")[0]
