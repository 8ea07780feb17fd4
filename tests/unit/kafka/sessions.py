"""Sessions for tests, and what they are given to do."""

from collections.abc import Mapping, Sequence

from processor.kafka.transactions.limits import Limits
from processor.kafka.transactions.requests import Request
from processor.kafka.transactions.round import GroupOffsets, Offset, Round, Settlement
from processor.kafka.transactions.session import TransactionSession
from processor.kafka.transactions.values import Ending, Producer, TopicPartition, TransactionVersion
from tests.fakes.transactions import FakeBatch
from tests.unit.kafka.dialogue import COORDINATOR, LEADER, Dialogue

V1, V2 = TransactionVersion.V1, TransactionVersion.V2
P0, P1 = TopicPartition("t", 0), TopicPartition("t", 1)
INPUT = TopicPartition("in", 0)
OFFSETS = GroupOffsets("g", "member", 5, "instance", {INPUT: Offset(9, "note")})
LIMITS = Limits(round_timeout_ms=1000, missing_topic_ms=200, request_bytes=1000)


def batch(name: str = "a", records: int = 1, size_bytes: int = 100) -> FakeBatch:
    """One batch."""
    return FakeBatch(name, records, size_bytes)


def round_of(
    batches: Mapping[TopicPartition, Sequence[FakeBatch]] | None = None,
    offsets: GroupOffsets | None = OFFSETS,
) -> Round:
    """A round of one batch and one offset, if not said otherwise."""
    return Round({P0: [batch()]} if batches is None else batches, offsets)


def settlement(ending: Ending = Ending.COMMIT) -> Settlement:
    """A settlement of two partitions and a group."""
    return Settlement([P0, P1], "g", ending)


def session_of(
    version: TransactionVersion,
    limits: Limits = LIMITS,
    *,
    leaders: Mapping[TopicPartition, int] | None = None,
) -> TransactionSession:
    """A session that knows its coordinator and the leaders."""
    session = TransactionSession(
        "app", Producer(7, 3), version, coordinator=COORDINATOR, limits=limits
    )
    session.leaders_are(dict.fromkeys((P0, P1), LEADER) if leaders is None else leaders)
    return session


def started(
    version: TransactionVersion,
    work: Round | Settlement | None = None,
    *,
    at: type[Request] | None = None,
    limits: Limits = LIMITS,
) -> tuple[TransactionSession, Dialogue]:
    """A session in a round, all answers good, up to a kind of request that is open."""
    session = session_of(version, limits)
    dialogue = Dialogue(session)
    session.start(round_of() if work is None else work, 0.0)
    if at is not None:
        dialogue.go_on(until=at)
    return session, dialogue
