"""Another process that owns streams, as far as Kafka sees it."""

from processor.task.ports import Partition, TransactionView
from processor.wire.position import POSITION, POSITION_KEY, dump_position
from processor.wire.record import Record
from tests.task.world import APP_ID, World


def a_position(owner: str, events: int = 0) -> bytes:
    """A position that some owner has written."""
    position = {
        "schema": 1,
        "type": "position",
        "owner": owner,
        "events": events,
        "routed": 0,
        "claims": 0,
        "seq": 0,
        "live_orders": 0,
        "seq_sum": 0,
        "next_slot": "a",
        "slot_chunks": {"a": 0, "b": 0},
        "directory": {"owners": 0, "owners_sum": 0, "parked": 0},
        "progress": {"seq": 0, "records": 0, "sum": 0},
    }
    return dump_position(POSITION.validate_python(position))


def record_of(position: bytes) -> Record:
    """Its record."""
    return POSITION_KEY.encode(), position, []


class Owner:
    """Another process, as far as Kafka sees it."""

    def __init__(self, world: World, name: str = f"{APP_ID}:orders.:other") -> None:
        self.name = name
        self._kafka = world.kafka
        self._epoch = self._kafka.acquire(name)

    def write(self, topic: str, *records: Record, stream: int = 0) -> None:
        """Write in its open transaction."""
        self._kafka.send(self.name, self._epoch, Partition(topic, stream), list(records))

    def tell_group(self, offset: int, stream: int = 0) -> None:
        """Put an offset into its open transaction."""
        where = Partition("orders.events", stream)
        self._kafka.send_offsets(self.name, self._epoch, APP_ID, {where: offset}, None)

    def commit(self) -> None:
        """Commit it; fails if the owner was cut off."""
        self._epoch = self._kafka.commit(self.name, self._epoch)

    def settle(self) -> None:
        """End what hangs of its last one."""
        self._kafka.settle(self.name, self._epoch)

    @property
    def seen(self) -> TransactionView:
        """How its coordinator sees it."""
        return self._kafka.describe(self.name)

    @property
    def is_untouched(self) -> bool:
        """Whether nobody has cut it off."""
        return self.seen.producer_epoch == self._epoch
