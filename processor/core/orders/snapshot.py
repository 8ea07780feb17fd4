"""Snapshots of a stream, written out in slices so that none of them holds the stream up."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from processor.core.orders.order import OrderRow
from processor.core.orders.records import order_json
from processor.core.orders.state_hash import order_digest, state_hash
from processor.core.orders.stream import OrderStream
from processor.wire.position import SlotExtents
from processor.wire.snapshot import (
    BEGIN,
    END,
    MAX_CHUNK_BYTES,
    Slot,
    begin_key,
    chunk_key,
    end_key,
    join_chunk,
)
from processor.wire.timestamp import format_time
from processor.wire.version import SCHEMA

_ENVELOPE_BYTES: Final = 1024
_FIRST_GUESS_ORDER_BYTES: Final = 320
# A tenth of all bytes: half of what readers are promised at most, for a snapshot costs time too.
_OTHER_BYTES_PER_BYTE: Final = 9


class SnapshotRecord(NamedTuple):
    """A record for ``orders.snapshots``; no value means a tombstone."""

    key: bytes
    value: bytes | None


@dataclass(frozen=True, slots=True)
class SnapshotPolicy:
    """When snapshots are taken and how they are cut.

    A snapshot over ``small_bytes`` waits until it is less than a tenth of all bytes written, but
    never so long that the last one gets older than ``max_age_ms``.
    """

    interval_ms: int = 1000
    max_age_ms: int = 600_000
    small_bytes: int = 32 * 1024
    # About 0.7 ms of work, and up to 4 ms for a list so long that it would not be out in time.
    slice_bytes: int = 20 * 1024
    hurried_slice_bytes: int = 128 * 1024

    def __post_init__(self) -> None:
        largest = max(self.slice_bytes, self.hurried_slice_bytes)
        if largest + _ENVELOPE_BYTES > MAX_CHUNK_BYTES:
            raise ValueError(f"slices must leave a chunk under {MAX_CHUNK_BYTES} bytes")


class _Writing:
    """A snapshot on its way out: the orders as they were, and how far it got."""

    __slots__ = ("chunk", "digest_sum", "head", "next_order", "orders", "snapshot_id")

    def __init__(self, snapshot_id: str, orders: list[OrderRow], head: bytes) -> None:
        self.snapshot_id = snapshot_id
        self.orders = orders
        self.head: bytes | None = head
        self.next_order = 0
        self.digest_sum = 0
        self.chunk = 0


class SnapshotWriter:
    """Decides when one stream's snapshots are due and hands them out slice by slice.

    ``next_slot`` and ``slot_chunks`` belong into the position, in the transaction that
    carries the slices: with them a restarted task knows which slot it may overwrite.
    """

    def __init__(
        self,
        stream: int,
        policy: SnapshotPolicy,
        *,
        next_slot: Slot = "a",
        slot_chunks: SlotExtents | None = None,
    ) -> None:
        self._stream = stream
        self._policy = policy
        self.next_slot: Slot = next_slot
        self.slot_chunks: SlotExtents = {"a": 0, "b": 0}
        if slot_chunks is not None:
            self.slot_chunks.update(slot_chunks)
        self._writing: _Writing | None = None
        self._taken_seq: int | None = None
        self._taken_ms = 0
        self._order_bytes = _FIRST_GUESS_ORDER_BYTES
        self._other_bytes = 0

    @property
    def writing(self) -> bool:
        """Whether a snapshot has slices left to write."""
        return self._writing is not None

    def count_other_bytes(self, written_bytes: int) -> None:
        """Tell how much was written that is no snapshot: it earns the next one."""
        self._other_bytes += written_bytes

    def due(self, source: OrderStream, now_ms: int) -> bool:
        """Whether a snapshot should begin now.

        Args:
            source: the stream to take it of.
            now_ms: monotonic milliseconds.
        """
        if self._writing is not None:
            return False
        if self._taken_seq is None:
            return True
        if source.seq == self._taken_seq:
            return False
        age_ms = now_ms - self._taken_ms
        if age_ms < self._policy.interval_ms:
            return False
        # Half of the age that is allowed: a long list takes a while to write.
        if age_ms >= self._policy.max_age_ms // 2:
            return True
        expected_bytes = _ENVELOPE_BYTES + len(source) * self._order_bytes
        return (
            expected_bytes <= self._policy.small_bytes
            or self._other_bytes >= _OTHER_BYTES_PER_BYTE * expected_bytes
        )

    def begin(
        self,
        source: OrderStream,
        *,
        snapshot_id: str,
        as_of_offset: int,
        live_offset: int,
        taken_at_us: int,
        now_ms: int,
    ) -> None:
        """Take the list as it is now; nothing of it may be uncommitted.

        Args:
            source: the stream.
            snapshot_id: a name never used before.
            as_of_offset: the next input offset.
            live_offset: where the changes after this point begin in ``orders.live``.
            taken_at_us: wall clock, microseconds since the epoch.
            now_ms: monotonic milliseconds.
        """
        head = BEGIN.dump_json(
            {
                "schema": SCHEMA,
                "snapshot_id": snapshot_id,
                "stream": self._stream,
                "as_of_seq": source.seq,
                "as_of_offset": as_of_offset,
                "live_offset": live_offset,
                "taken_at": format_time(taken_at_us),
            }
        )
        self._writing = _Writing(snapshot_id, source.rows(), head)
        self._taken_seq = source.seq
        self._taken_ms = now_ms
        self._other_bytes = 0

    def next_slice(self, now_ms: int) -> list[SnapshotRecord]:
        """The next records to write: the head, one chunk, and after the last chunk the tail.

        Args:
            now_ms: monotonic milliseconds; slices get larger when the snapshot would else take
                longer than half of its greatest age.

        Returns:
            At most about one chunk; nothing when no snapshot is being written.
        """
        writing = self._writing
        if writing is None:
            return []
        slot = self.next_slot
        records: list[SnapshotRecord] = []
        if writing.head is not None:
            records.append(SnapshotRecord(begin_key(slot), writing.head))
            writing.head = None
        if writing.next_order < len(writing.orders):
            records.append(self._chunk(writing, slot, self._slice_bytes(writing, now_ms)))
        if writing.next_order >= len(writing.orders):
            records.extend(self._finish(writing, slot))
        return records

    def _slice_bytes(self, writing: _Writing, now_ms: int) -> int:
        allowed_ms = self._policy.max_age_ms // 2
        behind = (now_ms - self._taken_ms) * len(writing.orders) > allowed_ms * writing.next_order
        hurried = behind and now_ms - self._taken_ms > allowed_ms // 10
        return self._policy.hurried_slice_bytes if hurried else self._policy.slice_bytes

    def _chunk(self, writing: _Writing, slot: Slot, slice_bytes: int) -> SnapshotRecord:
        encoded: list[bytes] = []
        size_bytes = 0
        orders, at = writing.orders, writing.next_order
        while at < len(orders) and size_bytes < slice_bytes:
            one = order_json(orders[at], self._stream)
            writing.digest_sum += order_digest(orders[at])
            encoded.append(one)
            size_bytes += len(one) + 1
            at += 1
        self._order_bytes = size_bytes // len(encoded)
        writing.next_order = at
        record = SnapshotRecord(
            chunk_key(slot, writing.chunk), join_chunk(writing.snapshot_id, writing.chunk, encoded)
        )
        writing.chunk += 1
        self.slot_chunks[slot] = max(self.slot_chunks[slot], writing.chunk)
        return record

    def _finish(self, writing: _Writing, slot: Slot) -> list[SnapshotRecord]:
        tail = END.dump_json(
            {
                "snapshot_id": writing.snapshot_id,
                "chunks": writing.chunk,
                "order_count": len(writing.orders),
                "state_hash": state_hash(writing.digest_sum),
            }
        )
        left_over = range(writing.chunk, self.slot_chunks[slot])
        self.slot_chunks[slot] = writing.chunk
        self.next_slot = "b" if slot == "a" else "a"
        self._writing = None
        return [
            SnapshotRecord(end_key(slot), tail),
            *(SnapshotRecord(chunk_key(slot, chunk), None) for chunk in left_over),
        ]
