"""The requests of one transaction, all in its producer's name."""

from processor.kafka.transactions.producing import Shipment
from processor.kafka.transactions.question import MakeRequest
from processor.kafka.transactions.requests import (
    AddOffsets,
    AddPartitions,
    CommitOffsets,
    Describe,
    End,
    Produce,
)
from processor.kafka.transactions.round import GroupOffsets
from processor.kafka.transactions.values import (
    CoordinatorKey,
    CoordinatorKind,
    Ending,
    Producer,
    TopicPartition,
    TransactionVersion,
)


class Requester:
    """Makes requests for a transactional id, a producer and a version."""

    def __init__(
        self, transactional_id: str, producer: Producer, version: TransactionVersion
    ) -> None:
        self.key = CoordinatorKey(CoordinatorKind.TRANSACTION, transactional_id)
        """Whose coordinator answers most of them."""
        self.producer = producer
        self.version = version
        self._id = transactional_id

    def add_partitions(self, partitions: tuple[TopicPartition, ...]) -> MakeRequest:
        """Add partitions."""
        return lambda id, node: AddPartitions(id, node, self._id, self.producer, partitions)

    def add_offsets(self, group_id: str) -> MakeRequest:
        """Add a group."""
        return lambda id, node: AddOffsets(id, node, self._id, self.producer, group_id)

    def produce(self, shipment: Shipment) -> Produce:
        """Write batches."""
        return Produce(
            shipment.request_id,
            shipment.node,
            self._id,
            self.version,
            self.producer,
            shipment.batches,
        )

    def commit_offsets(self, offsets: GroupOffsets) -> MakeRequest:
        """Commit a group's offsets; its own coordinator answers."""
        return lambda id, node: CommitOffsets(
            id, node, self._id, self.version, self.producer, offsets
        )

    def end(self, ending: Ending) -> MakeRequest:
        """End the transaction."""
        return lambda id, node: End(id, node, self._id, self.version, self.producer, ending)

    def describe(self) -> MakeRequest:
        """Ask how it stands."""
        return lambda id, node: Describe(id, node, self._id)
