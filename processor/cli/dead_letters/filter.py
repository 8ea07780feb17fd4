"""Which dead letters: by their places, and by ``--where NAME=VALUE``."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Final, get_args

from processor.cli.render.text import safe
from processor.errors import UsageError
from processor.reader.dead_letters import Letter
from processor.wire.event import RefusalReason
from processor.wire.replay import Position, parse_position
from processor.wire.timestamp import parse_time, record_time_us

Condition = Callable[[Letter], bool]
"""Whether a letter is wanted."""

REASONS: Final = get_args(RefusalReason)


def _reason(value: str) -> Condition:
    if value not in REASONS:
        raise ValueError(f"must be one of {', '.join(REASONS)}")
    return lambda letter: letter.said.reason == value


def _detail(value: str) -> Condition:
    return lambda letter: value in letter.said.detail


def _source(value: str) -> Condition:
    partition, slash, _ = value.partition("/")
    try:
        place = parse_position(value if slash else f"{partition}/0")
    except ValueError:
        raise ValueError("must be PARTITION or PARTITION/OFFSET, such as 6/2") from None
    offsets = [place.offset] if slash else None
    return lambda letter: (
        letter.said.is_ours
        and letter.said.source_partition == place.partition
        and (offsets is None or letter.said.source_offset in offsets)
    )


def _key(value: str) -> Condition:
    key = value.encode("utf-8", "surrogateescape")
    return lambda letter: letter.record.key == key


def _replayed(value: str) -> Condition:
    if value not in ("yes", "no"):
        raise ValueError("must be yes or no")
    return lambda letter: bool(letter.replays) == (value == "yes")


def _since(value: str) -> Condition:
    time_us = parse_time(value)
    return lambda letter: record_time_us(letter.record.timestamp) >= time_us


def _until(value: str) -> Condition:
    time_us = parse_time(value)
    return lambda letter: record_time_us(letter.record.timestamp) < time_us


_CONDITIONS: Final[dict[str, Callable[[str], Condition]]] = {
    "reason": _reason,
    "detail": _detail,
    "source": _source,
    "key": _key,
    "replayed": _replayed,
    "since": _since,
    "until": _until,
}


def read_conditions(texts: Sequence[str]) -> list[Condition]:
    """Read what ``--where`` was given.

    Raises:
        UsageError: one is no NAME=VALUE that is known.
    """
    return [_read(text) for text in texts]


def _read(text: str) -> Condition:
    name, equals, value = text.partition("=")
    if name not in _CONDITIONS:
        close = get_close_matches(name, _CONDITIONS, n=1)
        meant = f" (did you mean {close[0]}?)" if close else ""
        raise UsageError(
            f"--where {safe(text)}: there is no {safe(name)!r}{meant}; the names are "
            f"{', '.join(_CONDITIONS)}"
        )
    if not equals:
        raise UsageError(f"--where {safe(text)}: give it a value, such as {name}=...")
    try:
        return _CONDITIONS[name](value)
    except ValueError as error:
        raise UsageError(f"--where {safe(text)}: {name} {error}") from None


def read_places(texts: Sequence[str]) -> frozenset[Position]:
    """Read the places of letters, as ``list`` prints them.

    Raises:
        UsageError: one is no place.
    """
    try:
        return frozenset(map(parse_position, texts))
    except ValueError as error:
        raise UsageError(
            f"{safe(str(error))}; live-orders dead-letters list shows the letters"
        ) from None
