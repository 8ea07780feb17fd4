"""The work of one transaction."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from processor.kafka.transactions.values import Ending, TopicPartition


class Batch(Protocol):
    """A record batch for one partition, complete but for who produces it."""

    @property
    def records(self) -> int:
        """The number of records; at least one."""

    @property
    def size_bytes(self) -> int:
        """The encoded size."""

    def stamp(self, producer_id: int, producer_epoch: int, base_sequence: int) -> bytes | bytearray:
        """Encode with the producer's state; the same arguments give the same bytes again."""


@dataclass(frozen=True, slots=True)
class Offset:
    """A position that a group commits: the next offset to read, and the metadata with it."""

    offset: int
    metadata: str = ""


@dataclass(frozen=True, slots=True)
class GroupOffsets:
    """The offsets that a member of a group commits (KIP-447).

    The broker compares member, generation and instance with the group's. An empty member id with
    generation -1 would skip that check.
    """

    group_id: str
    member_id: str
    generation: int
    group_instance_id: str | None
    offsets: Mapping[TopicPartition, Offset]


BaseOffsets = Mapping[TopicPartition, Sequence[int]]
"""The offset of the first record of each batch; -1 where only is known that the broker has it."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Batches that tell where those before stand, in the same transaction.

    ``batches`` is called once the first ones are acknowledged; it gives batches for ``partitions``.
    """

    partitions: tuple[TopicPartition, ...]
    batches: Callable[[BaseOffsets], Mapping[TopicPartition, Sequence[Batch]]]


@dataclass(frozen=True, slots=True)
class Round:
    """One transaction: the batches of each partition in their order, and a group's offsets."""

    batches: Mapping[TopicPartition, Sequence[Batch]] = field(default_factory=dict)
    offsets: GroupOffsets | None = None
    follow_up: FollowUp | None = None

    @property
    def partitions(self) -> tuple[TopicPartition, ...]:
        """The partitions that something is written to."""
        first = [where for where, batches in self.batches.items() if batches]
        then = () if self.follow_up is None else self.follow_up.partitions
        return tuple(dict.fromkeys((*first, *then)))

    @property
    def group_offsets(self) -> GroupOffsets | None:
        """The offsets, unless there are none."""
        return self.offsets if self.offsets is not None and self.offsets.offsets else None

    @property
    def group_id(self) -> str | None:
        """The group whose offsets are committed, if any are."""
        return None if self.group_offsets is None else self.group_offsets.group_id

    @property
    def ending(self) -> Ending:
        """A round is made to be committed."""
        return Ending.COMMIT


@dataclass(frozen=True, slots=True)
class Settlement:
    """A transaction without records: its markers end what an earlier one left hanging.

    It is done with the requests of version 1 on any broker: only they add a partition to a
    transaction without writing to it.
    """

    partitions: Collection[TopicPartition]
    group_id: str | None
    ending: Ending

    @property
    def batches(self) -> Mapping[TopicPartition, Sequence[Batch]]:
        """Nothing is written."""
        return {}

    @property
    def follow_up(self) -> None:
        """Nothing follows."""

    @property
    def group_offsets(self) -> None:
        """No offsets are committed."""
        return
