"""Another process that owns streams, as far as Kafka sees it."""

from processor.task.ports import Partition, TransactionView
from processor.wire.record import Record
from tests.task.world import APP_ID, World


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
