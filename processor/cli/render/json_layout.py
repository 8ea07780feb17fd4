"""JSON laid out over lines, character by character the same otherwise."""

import json
import re
from typing import Final

_MAX_DEPTH: Final = 20
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s"{}\[\],:]+|[{}\[\],:]', re.DOTALL)


def indented(text: str) -> str | None:
    """The text with each field on a line of its own; None when it is no JSON.

    Nothing else changes: a number keeps its digits, a text its escapes, and a field that is given
    twice stays there twice. What is nested very deeply stays on one line.
    """
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    return "".join(_laid_out(_TOKENS.findall(text)))


def compacted(text: str) -> str:
    """JSON on one line without blanks, and nothing else changed; what `indented` gave, say."""
    return "".join(_TOKENS.findall(text))


def _laid_out(tokens: list[str]) -> list[str]:
    parts: list[str] = []
    depth = 0
    for before, token in zip(["", *tokens], tokens, strict=False):
        opened = before in ("{", "[")
        if token in ("}", "]"):
            depth -= 1
            if not opened:
                parts.append(_new_line(depth))
        elif opened or before == ",":
            parts.append(_new_line(depth))
        parts.append(": " if token == ":" else token)
        if token in ("{", "["):
            depth += 1
    return parts


def _new_line(depth: int) -> str:
    return f"\n{'  ' * depth}" if depth <= _MAX_DEPTH else ""
