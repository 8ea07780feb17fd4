"""Events on their way, as records: what claims, routed records and parked commands share."""

from typing import Literal

from processor.wire.answer import InputPosition
from processor.wire.forwarded import RawEvent, note_headers
from processor.wire.record import Record

ByPartition = dict[int, list[Record]]
"""Records for the partitions of a topic, in order for each."""

Kind = Literal["forwarded_command", "routed_command", "routed_event", "parked_command"]


def forwarded_record(
    kind: Kind, key: bytes | None, partition: int, offset: int, raw: RawEvent, more: str = ""
) -> Record:
    """An event on its way.

    Args:
        kind: where to.
        key: of the new record.
        partition, offset: where the event stands.
        raw: the event's record.
        more: the kind's own fields of the note, as JSON text that begins with a comma.
    """
    note = (
        f'{{"schema":1,"type":"{kind}","input":{{"partition":{partition},"offset":{offset}}}'
        f',"timestamp":{raw[3]}{more}}}'
    )
    return key, raw[1], note_headers(raw, note)


def position(found: InputPosition) -> tuple[int, int]:
    """Partition and offset."""
    return found["partition"], found["offset"]


def text_of(key: bytes | None) -> str:
    """A key that is text.

    Raises:
        ValueError: there is none.
    """
    if key is None:
        raise ValueError("a record without a key")
    return key.decode()
