"""Snapshots (``orders.snapshots``): a stream's whole list at one point, as begin, chunks and end.

Keys are ``a/begin``, ``a/0000`` ..., ``a/end`` and, the next time, ``b/...``: a half-written
snapshot never destroys the last whole one.
"""

from typing import Final, Literal

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from processor.wire.live_order import LiveOrder
from processor.wire.version import Schema

Slot = Literal["a", "b"]
SLOTS: Final[tuple[Slot, Slot]] = ("a", "b")

MAX_CHUNK_BYTES: Final = 256 * 1024
"""No chunk's value is longer."""


class SnapshotBegin(TypedDict):
    """The head of a snapshot.

    ``as_of_offset`` is the next input offset (all before it is in); ``live_offset`` is where in
    ``orders.live`` of this partition the changes after ``as_of_seq`` begin.
    """

    schema: Schema
    snapshot_id: str
    stream: int
    as_of_seq: int
    as_of_offset: int
    live_offset: int
    taken_at: str


class SnapshotChunk(TypedDict):
    """A run of orders in placement order; chunks are numbered from 0."""

    snapshot_id: str
    chunk: int
    orders: list[LiveOrder]


class SnapshotEnd(TypedDict):
    """The tail: what a reader checks before it uses the snapshot."""

    snapshot_id: str
    chunks: int
    order_count: int
    state_hash: str


BEGIN: Final[TypeAdapter[SnapshotBegin]] = TypeAdapter(SnapshotBegin)
CHUNK: Final[TypeAdapter[SnapshotChunk]] = TypeAdapter(SnapshotChunk)
END: Final[TypeAdapter[SnapshotEnd]] = TypeAdapter(SnapshotEnd)


def begin_key(slot: Slot) -> bytes:
    """The key of a slot's head."""
    return f"{slot}/begin".encode()


def chunk_key(slot: Slot, chunk: int) -> bytes:
    """The key of a slot's chunk."""
    return f"{slot}/{chunk:04}".encode()


def end_key(slot: Slot) -> bytes:
    """The key of a slot's tail."""
    return f"{slot}/end".encode()


def join_chunk(snapshot_id: str, chunk: int, orders: list[bytes]) -> bytes:
    """Write a chunk of orders that are JSON already (see `dump_live_order`)."""
    empty = CHUNK.dump_json({"snapshot_id": snapshot_id, "chunk": chunk, "orders": []})
    return b"%b%b]}" % (empty.removesuffix(b"]}"), b",".join(orders))
