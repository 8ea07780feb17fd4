"""JSON strings, for records that are written as templates."""

from json.encoder import c_encode_basestring, py_encode_basestring  # type: ignore[attr-defined]
from typing import Final, Protocol


class _Quote(Protocol):
    def __call__(self, text: str, /) -> str: ...


quote: Final[_Quote] = c_encode_basestring or py_encode_basestring
"""A string as JSON, quotes included; what is not ASCII stays as it is."""
