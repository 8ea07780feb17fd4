"""The ports of tasks: tests drive the real loop over fakes of them."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from processor.reader.ports import Log
from processor.wire.record import InputRecord, Record


class Partition(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


class Offsets(NamedTuple):
    """Where a partition begins, where its committed records end, and where all of them end.

    ``stable_end`` is Kafka's last stable offset: less than ``end`` while a transaction is open.
    """

    begin: int
    stable_end: int
    end: int


class Membership(NamedTuple):
    """This process in the consumer group: its member id, and since which rebalance."""

    member_id: str
    generation: int


class TransactionView(NamedTuple):
    """The transaction of some transactional id, as its coordinator sees it.

    ``is_open``: it can still commit. ``is_ending``: its markers are being written. Neither: it has
    ended, or there never was one.
    """

    transactional_id: str
    producer_id: int
    producer_epoch: int
    is_open: bool
    is_ending: bool
    partitions: frozenset[Partition]


class InputReader(Protocol):
    """A reader of a task's input partitions, one of each topic, committed records only."""

    async def fetch(
        self, *, max_records: int, timeout_ms: int, topics: Collection[str] | None = None
    ) -> Mapping[str, Sequence[InputRecord]]:
        """The next records of those topics that have any; nothing when none have within the time.

        Args:
            max_records: of all topics together.
            timeout_ms: how long to wait where there are none.
            topics: the only ones to take records of; all, unless given.

        Raises:
            OffsetGone: a position is not in the log any more.
            TaskLost: the broker failed us.
        """

    def position(self, topic: str) -> int:
        """The next offset; it moves past transaction markers and holes too."""

    def lag(self, topic: str) -> int:
        """How far the position is from the end of the partition as last heard of."""

    async def close(self) -> None:
        """Let go of everything. Never raises."""


class Round(Protocol):
    """The records of one transaction. It is filled while the one before is being committed."""

    @property
    def size_bytes(self) -> int:
        """How much is in it."""

    def add(self, where: Partition, records: Sequence[Record]) -> int:
        """Add records to a partition, after those that are in it; the bytes added."""


class Transactions(Protocol):
    """The transactions of one process, one after the other, under one transactional id.

    All methods but ``close`` raise `KafkaUnavailable` when Kafka refuses us.
    """

    @property
    def transactional_id(self) -> str:
        """The id that positions name as their owner."""

    async def acquire(self) -> None:
        """Own the id: end its open transaction, and cut off whoever used it before.

        Raises:
            SessionLost: the broker does not answer; try again.
        """

    def new_round(self) -> Round:
        """An empty round."""

    async def commit(
        self, filled: Round, offsets: Mapping[Partition, int], membership: Membership | None
    ) -> Mapping[Partition, int]:
        """Write a round, and commit it with input offsets; one at a time.

        Args:
            filled: what to write.
            offsets: the group's next offsets; the broker takes them only from a member of the
                current generation, and else the round is aborted.
            membership: whose offsets they are; None if there are none.

        Returns:
            The offset after the last record, of each partition that was written to.

        Raises:
            RoundAborted: nothing of it was committed; the next round may be.
            SessionLost: the outcome is unknown, or we were cut off.
        """

    async def settle(self) -> None:
        """End what hangs of the last transaction, as that one ended; not while one is under way.

        A transaction hangs where it has ended, and a partition has not got its marker
        (KAFKA-20734).

        Raises:
            SessionLost: the outcome is unknown, or we were cut off.
        """

    async def close(self) -> None:
        """Abort what is open and let go of everything, within a bound. Never raises."""


class Broker(Log, Protocol):
    """Kafka, as a task sees it. All methods raise `TaskLost` when it fails us."""

    async def read_inputs(self, stream: int, offsets: Mapping[str, int]) -> InputReader:
        """Read the stream's partitions of some topics at once, each from an offset on."""

    async def offsets(self, partitions: Sequence[Partition]) -> Mapping[Partition, Offsets]:
        """Where partitions begin and end now."""

    async def topic_ids(self) -> Mapping[str, str]:
        """The id of each of our topics that exists (KIP-516)."""

    async def transaction_of(self, transactional_id: str) -> TransactionView:
        """The transaction of an id."""

    async def abort_transaction(self, seen: TransactionView) -> None:
        """End exactly the transaction that was seen, if it is still open, and cut its owner off."""

    async def holders_of(self, partitions: Sequence[Partition]) -> Sequence[str]:
        """The transactional ids whose open transactions have written to these partitions."""

    async def settle_transaction(self, transactional_id: str) -> None:
        """Do what `Transactions.settle` does for another process, and cut that one off."""

    async def group_offset(self, stream: int) -> int | None:
        """The group's offset of ``orders.events``; None if there is none.

        Raises:
            OffsetUnstable: a transaction that has not ended has one for it.
        """

    async def lock(self, name: str) -> Transactions:
        """Transactions under an id of that name, which only one process can own at a time."""

    async def purge(self, topic: str, partition: int, offset: int) -> None:
        """Delete what a partition has before an offset: it was consumed."""


class GroupListener(Protocol):
    """A listener that is told of rebalances."""

    async def on_revoked(self) -> None:
        """All streams may move: return when nothing is open any more."""

    def on_assigned(self, streams: frozenset[int], membership: Membership) -> None:
        """These streams, and no others, are ours from now on. Must not wait."""


class Group(Protocol):
    """The consumer group: who owns which stream."""

    async def run(self, listener: GroupListener, stop: Awaitable[object]) -> None:
        """Be a member until ``stop`` is done, then leave."""

    async def is_member(self, membership: Membership) -> bool:
        """Whether the group's coordinator says, now, that this generation is the current one."""


NewId = Callable[[], str]
"""Makes a name that was never used before."""
