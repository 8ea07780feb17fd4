"""A shard's state as records of ``orders.directory``, and back."""

from collections.abc import Iterable, Sequence

from processor.core.directory.directory import DirectoryChange, OrderDirectory
from processor.core.directory.forwarding import forwarded_record, position, text_of
from processor.core.directory.messages import Command
from processor.wire.forwarded import read_note
from processor.wire.json_text import quote
from processor.wire.owner import is_parked_key, parked_key, parse_owner
from processor.wire.placement import split_placement
from processor.wire.record import NO_HEADERS, Header, Record
from processor.wire.timestamp import format_time, parse_time


def directory_records(changes: Iterable[DirectoryChange]) -> list[Record]:
    """Changes of a shard, for its partition of ``orders.directory``."""
    records: list[Record] = []
    for change in changes:
        if change[0] == "claim":
            _, order_id, user_id, stream, placed_seq, partition, offset = change
            text = (
                f'{{"schema":1,"order_id":{quote(order_id)},"user_id":{quote(user_id)}'
                f',"stream":{stream},"placement":"{stream}:{placed_seq}"'
                f',"input":{{"partition":{partition},"offset":{offset}}}}}'
            )
            records.append((order_id.encode(), text.encode(), NO_HEADERS))
        elif change[0] == "removed":
            records.append((change[1].encode(), None, NO_HEADERS))
        elif change[0] == "parked":
            records.append(_parked_record(change[1], change[2]))
        else:
            _, order_id, partition, offset, _ = change[1]
            key = parked_key(order_id, partition, offset)
            records.append((key.encode(), None, NO_HEADERS))
    return records


def _parked_record(command: Command, deadline_us: int) -> Record:
    _, order_id, partition, offset, raw = command
    key = parked_key(order_id, partition, offset).encode()
    more = f',"deadline":"{format_time(deadline_us)}"'
    return forwarded_record("parked_command", key, partition, offset, raw, more)


class DirectoryTable:
    """A shard's partition of ``orders.directory`` as far as it is read: what a restore needs."""

    def __init__(self) -> None:
        self._owners: dict[str, tuple[int, int]] = {}
        self._parked: dict[str, tuple[Command, int]] = {}

    def put(self, key: bytes | None, value: bytes | None, headers: Sequence[Header]) -> str:
        """Take the partition's next record.

        Returns:
            The order id that it is about.

        Raises:
            ValueError: the record is none of the processor's.
        """
        text = text_of(key)
        order_id = text.partition(" ")[0]
        if is_parked_key(text):
            self._put_parked(text, order_id, value, headers)
        elif value is None:
            self._owners.pop(order_id, None)
        else:
            self._owners[order_id] = split_placement(parse_owner(value)["placement"])
        return order_id

    def _put_parked(
        self, key: str, order_id: str, value: bytes | None, headers: Sequence[Header]
    ) -> None:
        if value is None:
            self._parked.pop(key, None)
            return
        note, raw = read_note(value, headers)
        if note["type"] != "parked_command":
            raise ValueError(f"a {note['type']} in orders.directory")
        command: Command = ("command", order_id, *position(note["input"]), raw)
        self._parked[key] = command, parse_time(note["deadline"])

    def directory(self, num_streams: int, *, routing_grace_ms: int) -> OrderDirectory:
        """The shard as it was when the last record was written.

        Args:
            num_streams: how many streams there are.
            routing_grace_ms: for commands that come from now on; what is parked keeps its deadline.
        """
        return OrderDirectory(
            num_streams,
            routing_grace_ms=routing_grace_ms,
            owners=self._owners,
            parked=self._parked.values(),
        )
