"""Records as every client has them: key, value and headers."""

from collections.abc import Sequence
from typing import Final, Protocol

Header = tuple[str, bytes | None]

Record = tuple[bytes | None, bytes | None, list[Header]]
"""Key, value (None: tombstone) and headers, to be written."""

NO_HEADERS: Final[list[Header]] = []
"""The headers of most records; nobody adds to them."""


class EventRecord(Protocol):
    """An event's record as read; ``timestamp`` in milliseconds."""

    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[Header]: ...


class InputRecord(EventRecord, Protocol):
    """A record as read, and where."""

    @property
    def offset(self) -> int: ...
