"""A task's partition of ``orders.progress``: what it holds now, and what is still to be written."""

from zlib import crc32

from processor.wire.live_order import SEQ_HEADER
from processor.wire.position import ProgressExtents
from processor.wire.record import NO_HEADERS, Record


class ProgressLog:
    """The keys that a partition holds, so that a restore can be told whether it has read them all.

    Whoever writes here gives a record a key of its own, may write it anew, and removes it when it
    is of no more use.
    """

    __slots__ = ("_held", "_seq", "_sum", "_unwritten")

    def __init__(self, *, seq: int = 0) -> None:
        """Make the log of an empty partition.

        Args:
            seq: of the last record that was ever written there.
        """
        self._seq = seq
        self._held: dict[str, int] = {}
        self._sum = 0
        self._unwritten: list[Record] = []

    @property
    def seq(self) -> int:
        """The number of the last record or tombstone."""
        return self._seq

    @property
    def extents(self) -> ProgressExtents:
        """The partition's extents once all is written, for the position."""
        return {"seq": self._seq, "records": len(self._held), "sum": self._sum}

    def put(self, key: str, kind: str, fields: str) -> int:
        """Write a record, in place of the key's last one if there is one.

        Args:
            key: the record's key.
            kind: its type.
            fields: the fields of this type, as JSON text.

        Returns:
            The bytes of the value.
        """
        self._seq += 1
        value = f'{{"schema":1,"type":"{kind}","seq":{self._seq},{fields}}}'.encode()
        self.note(key, value)
        self._unwritten.append((key.encode(), value, NO_HEADERS))
        return len(value)

    def remove(self, key: str) -> None:
        """Remove a record: write a tombstone."""
        self._seq += 1
        self.note(key, None)
        self._unwritten.append((key.encode(), None, [(SEQ_HEADER, b"%d" % self._seq)]))

    def note(self, key: str, value: bytes | None) -> None:
        """Take note of a record that the partition holds, or holds no more."""
        self._sum -= self._held.pop(key, 0)
        if value is not None:
            digest = self._held[key] = crc32(value)
            self._sum += digest

    def going_on_from(self, seq: int) -> "ProgressLog":
        """The log of a partition of which all was noted, to write on after ``seq``."""
        log = ProgressLog(seq=seq)
        log._held, log._sum = dict(self._held), self._sum
        return log

    def drain(self) -> list[Record]:
        """The records to write in this transaction, in order."""
        unwritten, self._unwritten = self._unwritten, []
        return unwritten
