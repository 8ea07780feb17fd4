"""Dead letters (``orders.dead-letters``): the original bytes and, in headers, what is wrong."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from processor.wire.event import Refusal
from processor.wire.record import Header

ERROR_REASON: Final = "error.reason"
ERROR_DETAIL: Final = "error.detail"
ERROR_TRUNCATED: Final = "error.truncated"
SOURCE_TOPIC: Final = "source.topic"
SOURCE_PARTITION: Final = "source.partition"
SOURCE_OFFSET: Final = "source.offset"
_OWN: Final = [ERROR_REASON, ERROR_DETAIL, SOURCE_TOPIC, SOURCE_PARTITION, SOURCE_OFFSET]


class DeadLetter:
    """A record that could not be an event, ready to be written."""

    __slots__ = ("headers", "key", "value")

    def __init__(self, key: bytes | None, value: bytes | None, headers: Sequence[Header]) -> None:
        self.key = key
        self.value = value
        self.headers = list(headers)


def dead_letter(
    refusal: Refusal,
    *,
    key: bytes | None,
    value: bytes | None,
    headers: Iterable[Header],
    topic: str,
    partition: int,
    offset: int,
    max_bytes: int,
) -> DeadLetter:
    """Wrap a refused record with the headers that explain it.

    Args:
        refusal: what was wrong.
        key, value, headers: the original record; when it does not fit, the headers go, then the
            tails of key and value, each of which keeps at least half of the room, and
            ``error.truncated`` says so.
        topic, partition, offset: where the record stood.
        max_bytes: the most that key, value and headers may have together.

    Returns:
        The dead letter, at most ``max_bytes`` long whatever came in.
    """
    own: list[Header] = [
        (ERROR_REASON, refusal.reason.encode("ascii")),
        (ERROR_DETAIL, refusal.detail.encode("ascii", "backslashreplace")[:1024]),
        (SOURCE_TOPIC, topic.encode("ascii", "backslashreplace")),
        (SOURCE_PARTITION, b"%d" % partition),
        (SOURCE_OFFSET, b"%d" % offset),
    ]
    kept = list(headers)
    room = max_bytes - headers_bytes(own) - len(key or b"") - len(value or b"")
    if headers_bytes(kept) <= room:
        return DeadLetter(key, value, [*kept, *own])
    own.append((ERROR_TRUNCATED, b"true"))
    room = max_bytes - headers_bytes(own)
    if key is not None:
        key = key[: max(room - len(value or b""), room // 2)]
        room -= len(key)
    if value is not None:
        value = value[:room]
    return DeadLetter(key, value, own)


def headers_bytes(headers: Iterable[Header]) -> int:
    """An upper bound of what headers take in a record, lengths included."""
    return sum(4 * len(name) + len(value or b"") + 10 for name, value in headers)


def record_bytes(key: bytes | None, value: bytes | None, headers: Sequence[Header]) -> int:
    """An upper bound of a record's key, value and headers together."""
    size_bytes = len(key or b"") + len(value or b"")
    return size_bytes + headers_bytes(headers) if headers else size_bytes


class ReadDeadLetter(NamedTuple):
    """The content of a dead letter's headers; ``headers`` are the producer's own.

    ``is_ours``: the processor wrote it. Else somebody else did, and only ``headers`` are known.
    """

    is_ours: bool
    reason: str
    detail: str
    source_topic: str
    source_partition: int
    source_offset: int
    truncated: bool
    headers: list[Header]


def read_dead_letter(headers: Sequence[Header]) -> ReadDeadLetter:
    """Tell the headers that explain a dead letter from the producer's.

    Ours are the last ones: a producer may have given headers of the same names. What was cut has
    only ours.
    """
    names = [name for name, _ in headers]
    truncated = names == [*_OWN, ERROR_TRUNCATED]
    at = 0 if truncated else max(len(headers) - len(_OWN), 0)
    try:
        if names[at : at + len(_OWN)] != _OWN:
            raise ValueError("not ours")
        reason, detail, topic, partition, offset = (
            (value or b"").decode() for _, value in headers[at : at + len(_OWN)]
        )
        return ReadDeadLetter(
            True, reason, detail, topic, int(partition), int(offset), truncated, list(headers[:at])
        )
    except ValueError:
        return ReadDeadLetter(False, "", "", "", -1, -1, False, list(headers))
