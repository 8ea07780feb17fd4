"""Finding the dead letters that a command is about."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from processor.app.read import Reading
from processor.cli.dead_letters.filter import Condition
from processor.errors import UsageError
from processor.reader.dead_letters import Letter, letters
from processor.reader.ports import Bounds
from processor.wire.replay import Position


@dataclass(frozen=True, slots=True)
class Selection:
    """Letters by their places, all when none is named, that meet all conditions."""

    places: frozenset[Position]
    conditions: list[Condition]

    async def read(
        self, reading: Reading, ends: Mapping[int, Bounds]
    ) -> AsyncIterator[list[Letter]]:
        """Those there are, stream by stream, batch by batch.

        Args:
            reading: where to read.
            ends: how far, of each partition of ``orders.dead-letters``.
        """
        topic = reading.topics.dead_letters
        for stream, bounds in ends.items():
            named = [place.offset for place in self.places if place.partition == stream]
            if self.places and not named:
                continue
            # What is noted of a letter stands behind it.
            begin = max(bounds.begin, min(named, default=0))
            found = letters(reading.log, topic, stream, bounds._replace(begin=begin))
            async for batch in found:
                yield [letter for letter in batch if self._has(letter)]

    def _has(self, letter: Letter) -> bool:
        if self.places and letter.place not in self.places:
            return False
        return all(condition(letter) for condition in self.conditions)

    def require_all(self, found: frozenset[Position]) -> None:
        """Check that each letter that was named is there.

        Raises:
            UsageError: one is not, or it does not meet the conditions.
        """
        missing = sorted(self.places - found)
        if missing:
            unmet = ", or not one that --where asks for" if self.conditions else ""
            raise UsageError(
                f"there is no dead letter {missing[0]}{unmet}; live-orders dead-letters list "
                "shows those there are"
            )


async def read_all(reading: Reading, selection: Selection) -> list[Letter]:
    """All letters that are meant.

    Raises:
        UsageError: one that was named is not there.
    """
    ends = await reading.ends(reading.topics.dead_letters)
    found = [letter async for batch in selection.read(reading, ends) for letter in batch]
    selection.require_all(frozenset(letter.place for letter in found))
    return found
