"""Writing a stream's output into the slice that is being filled."""

from collections.abc import Sequence

from processor.task.committer import Committer
from processor.task.ports import Partition
from processor.wire.record import Record


class SliceWriter:
    """Writes for one stream."""

    def __init__(self, committer: Committer, stream: int) -> None:
        self._committer = committer
        self._stream = stream

    def write(self, topic: str, records: Sequence[Record], partition: int | None = None) -> None:
        """Add records to a partition of a topic, the stream's own unless said."""
        where = Partition(topic, self._stream if partition is None else partition)
        self._committer.filling.write(where, records)
