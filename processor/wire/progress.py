"""Progress (``orders.progress``): what a task must know beside its orders and its offsets.

Compacted; a log of keys that are not used again once their record is removed. With events put in
order by their time, an offset cannot tell what is finished: some after the committed one are. And
with repeats refused, a task must remember the ids of events long gone.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from processor.wire.version import Schema

MAX_NUMBERS: Final = 8192
"""How many integers, or ids, a record may have at most: so it stays under 192 KiB.

An integer of a packed list has at most 19 digits and mostly one or two.
"""


class FinishedOffsets(TypedDict):
    """Inputs that are finished although the committed offset is not past them.

    ``events`` and ``routed`` are packed lists of offsets of ``orders.events`` and
    ``orders.routed``; ``seq`` grows with every record and tombstone of the partition.
    """

    schema: Schema
    type: Literal["finished"]
    seq: int
    events: list[int]
    routed: list[int]


class EventIds(TypedDict):
    """Ids of finished events.

    ``at`` is a packed list of places in the sequence of events that the stream has finished;
    ``ids`` is their digests, 11 bytes each, in base64.
    """

    schema: Schema
    type: Literal["ids"]
    seq: int
    at: list[int]
    ids: str


ProgressRecord = FinishedOffsets | EventIds
PROGRESS_RECORD: Final[TypeAdapter[ProgressRecord]] = TypeAdapter(
    Annotated[ProgressRecord, Field(discriminator="type")]
)
_read: Any = PROGRESS_RECORD.validator.validate_json


def parse_progress(value: bytes) -> ProgressRecord:
    """Read a record of ``orders.progress``.

    Raises:
        ValueError: the bytes are none, or of an unknown schema version.
    """
    record: ProgressRecord = _read(value, strict=True)
    return record
