"""Up to where a task has applied its input."""

from collections.abc import Mapping

from processor.task.ports import InputReader


class InputPositions:
    """The next offset of each input topic, as of the slices that were applied.

    A reader's own positions are ahead of that while a task holds records that it has not applied.
    """

    def __init__(self, reader: InputReader, offsets: Mapping[str, int]) -> None:
        self._reader = reader
        self._applied = dict(offsets)

    def __getitem__(self, topic: str) -> int:
        return self._applied[topic]

    def advance(self) -> None:
        """All that the reader has handed out is being applied."""
        for topic in self._applied:
            self._applied[topic] = self._reader.position(topic)
