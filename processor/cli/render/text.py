"""Text from the wire, made safe to show.

Ids and values come from strangers: nothing in them may move the cursor, change colours, reorder
what is read, or break a line.
"""

import base64
import json
from typing import Any


def safe(text: str) -> str:
    """The text with everything that is no visible character written as an escape.

    Terminal escapes, control and bidirectional characters, and all blanks but the space.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else _escape(ord(one)) for one in text)


def safe_lines(text: str) -> str:
    """The same for text of ours, which may have several lines."""
    return "\n".join(map(safe, text.split("\n")))


def _escape(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def safe_json(value: bytes) -> str:
    """A JSON record as one line that means the same, whatever its strings have in them.

    Raises:
        ValueError: it is no JSON.
    """
    text = value.decode()
    if text.isprintable():
        return text
    return dump_json(json.loads(text))


def dump_json(content: Any) -> str:
    """Content of any kind as one line of JSON that is safe to show."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return text if text.isprintable() else json.dumps(content, separators=(",", ":"))


def bytes_fields(name: str, content: bytes | None) -> dict[str, str | None]:
    """Bytes for JSON: text under the name, or, what is no UTF-8, under ``name_base64``."""
    if content is None:
        return {name: None}
    try:
        return {name: content.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(content).decode()}


def excerpt(content: bytes | None, max_chars: int) -> str:
    """The beginning of any bytes, safe to show on one line."""
    if content is None:
        return "(no value)"
    text = safe(content[: 4 * max_chars].decode("utf-8", "backslashreplace"))
    is_whole = len(text) <= max_chars and len(content) <= 4 * max_chars
    return text if is_whole else text[: max_chars - 1] + "…"


def counted(number: int, one: str) -> str:
    """A number of things in words: ``1 event``, ``1,000 events``."""
    return f"1 {one}" if number == 1 else f"{number:,} {one}s"
