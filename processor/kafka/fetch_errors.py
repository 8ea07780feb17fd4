"""The failures of a reader, as exceptions."""

from typing import Final

from aiokafka.errors import (
    CorruptRecordException,
    OffsetOutOfRangeError,
    RequestTimedOutError,
    for_code,
)

from processor.kafka.fetching.reading import Reading
from processor.kafka.fetching.remedies import Failure, Trouble

_ANSWERED: Final = 0


class TopicGone(Exception):
    """A topic that was read was deleted, or deleted and made anew.

    Attributes:
        topic: its name.
        old_id: its id when reading began; None where the brokers have no topic ids.
        new_id: its id now; None if it does not exist.
    """

    def __init__(self, topic: str, old_id: bytes | None, new_id: bytes | None) -> None:
        what = "deleted" if new_id is None else "deleted and made anew"
        super().__init__(
            f"the topic {topic} was {what}: its id was {_hex(old_id)}, now {_hex(new_id)}"
        )
        self.topic = topic
        self.old_id = old_id
        self.new_id = new_id


def _hex(topic_id: bytes | None) -> str:
    return "unknown" if topic_id is None else topic_id.hex()


def error_of(reading: Reading, failure: Failure) -> Exception:
    """The exception for a failure."""
    where = f"{reading.topic}/{reading.partition} at offset {reading.next_offset}"
    match failure.trouble:
        case Trouble.TOPIC_GONE:
            return TopicGone(reading.topic, failure.old_id, failure.new_id)
        case Trouble.OFFSET_GONE:
            return OffsetOutOfRangeError(where)
        case Trouble.CORRUPT:
            return CorruptRecordException(f"{where}: {failure.detail or 'so says its broker'}")
        case Trouble.UNHEARD:
            last = failure.error_code
            return RequestTimedOutError(
                f"{where}: no broker answers for it; the last error is {last}"
            )
        case Trouble.REFUSED:
            error: Exception = for_code(failure.error_code)(where)
            return error
