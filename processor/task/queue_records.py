"""Reading the records of a queue, which no stranger may write."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from processor.errors import BrokenInvariant
from processor.wire.record import InputRecord

Message = TypeVar("Message")


def read_queue(
    name: str,
    records: Sequence[InputRecord],
    read: Callable[[Iterable[InputRecord]], Iterator[Message]],
) -> Iterator[Message]:
    """The messages in records of a queue, each read when it is asked for.

    Args:
        name: the topic and the partition, for the message.
        records: as they were read.
        read: what tells what they say.

    Raises:
        BrokenInvariant: one is not the processor's.
    """
    try:
        yield from read(records)
    except ValueError as error:
        raise BrokenInvariant(
            f"{name} has a record at offset {records[0].offset} or up to {records[-1].offset} "
            f"that is not of this processor ({type(error).__name__}): nothing of this batch was "
            "committed; find out who else writes to the topic"
        ) from error
