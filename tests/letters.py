"""Short ways to make dead letters as they are read."""

from collections.abc import Sequence

from processor.reader.dead_letters import Letter, Replay, letter_of
from processor.wire.dead_letter import dead_letter
from processor.wire.event import Refusal, RefusalReason
from processor.wire.record import Header
from tests.fakes.log import StoredRecord

AT_MS = 1_767_225_600_000
AT = "2026-01-01T00:00:00.000Z"


def letter_record(
    value: bytes | None = b"{}",
    *,
    reason: RefusalReason = "invalid",
    detail: str = "amount: must be greater than 0",
    key: bytes | None = b"bob",
    headers: Sequence[Header] = (("trace", b"abc"),),
    source: tuple[int, int] = (6, 2),
    max_bytes: int = 1_000_000,
) -> StoredRecord:
    """The record of a letter that the processor wrote, at offset 9."""
    written = dead_letter(
        Refusal(reason, detail),
        key=key,
        value=value,
        headers=headers,
        topic="orders.events",
        partition=source[0],
        offset=source[1],
        max_bytes=max_bytes,
    )
    return StoredRecord(9, AT_MS, written.key, written.value, tuple(written.headers))


def letter(
    value: bytes | None = b"{}", *, replays: Sequence[Replay] = (), **more: object
) -> Letter:
    """A letter 6/9."""
    return letter_of(6, letter_record(value, **more), replays)  # type: ignore[arg-type]


def strange_letter() -> Letter:
    """A letter 6/9 that somebody else wrote."""
    return letter_of(6, StoredRecord(9, AT_MS, None, b"x", (("trace", b"abc"),)))
