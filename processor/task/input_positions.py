"""Up to where a task has applied its input."""

from collections.abc import Collection, Mapping

from processor.task.ports import InputReader


class InputPositions:
    """The next offset of each input topic, as of the slices that were applied.

    A reader's own positions are ahead of that while a task holds records that it has not applied:
    also within a slice, where one topic comes after the other. A message that skips a queue must
    not overtake a record of it that was fetched and not applied.
    """

    def __init__(self, reader: InputReader, offsets: Mapping[str, int]) -> None:
        self._reader = reader
        self._applied = dict(offsets)

    def __getitem__(self, topic: str) -> int:
        return self._applied[topic]

    def advance(self, topic: str) -> None:
        """All that the reader has handed out of a topic is applied."""
        self._applied[topic] = self._reader.position(topic)

    def advance_without(self, fetched: Collection[str]) -> None:
        """Go past markers and holes of the topics that nothing was fetched of."""
        for topic in self._applied:
            if topic not in fetched:
                self.advance(topic)
