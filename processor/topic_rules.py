"""The rules for each topic, and how one that breaks them can be mended."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from processor.topics import Topics

_DAY_MS: Final = 86_400_000
_MIB: Final = 1024 * 1024

EVENT_MAX_BYTES: Final = _MIB
DEAD_LETTER_MAX_BYTES: Final = 2 * _MIB
# What a batch of ours may take, see the writer; snapshot chunks are smaller.
OUTPUT_MAX_BYTES: Final = _MIB
TOMBSTONE_RETENTION_MS: Final = _DAY_MS


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic as Kafka describes it."""

    name: str
    partitions: int
    replication_factor: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic to create."""

    name: str
    partitions: int
    replication_factor: int
    config: Mapping[str, str]


def specs(topics: Topics, num_streams: int, replication_factor: int) -> list[TopicSpec]:
    """The topics as we create them.

    Args:
        topics: their names.
        num_streams: partitions of each.
        replication_factor: replicas of each; from 3 on, writes need 2 of them in sync.
    """
    deleted = {"cleanup.policy": "delete", "retention.ms": str(7 * _DAY_MS)}
    compacted = {
        "cleanup.policy": "compact",
        "delete.retention.ms": str(TOMBSTONE_RETENTION_MS),
        "max.message.bytes": str(OUTPUT_MAX_BYTES),
        # A table that is restored from should not grow to ten times its size first.
        "min.cleanable.dirty.ratio": "0.2",
        "segment.bytes": str(128 * _MIB),
        "segment.ms": str(_DAY_MS // 4),
    }
    by_name = {
        topics.events: {**deleted, "max.message.bytes": str(EVENT_MAX_BYTES)},
        topics.live: compacted,
        topics.snapshots: compacted,
        topics.progress: compacted,
        topics.directory: compacted,
        topics.results: {**deleted, "max.message.bytes": str(OUTPUT_MAX_BYTES)},
        topics.dead_letters: {
            "cleanup.policy": "delete",
            "retention.ms": str(30 * _DAY_MS),
            "max.message.bytes": str(DEAD_LETTER_MAX_BYTES),
        },
    }
    # A queue keeps what was not read yet, however long that takes; what was read is deleted.
    queue = {
        "cleanup.policy": "delete",
        "retention.ms": "-1",
        "retention.bytes": "-1",
        "max.message.bytes": str(OUTPUT_MAX_BYTES),
        "segment.bytes": str(64 * _MIB),
    }
    by_name |= dict.fromkeys(topics.queues, queue)
    durable = {"min.insync.replicas": "2"} if replication_factor >= 3 else {}
    safe = {"unclean.leader.election.enable": "false"}
    return [
        TopicSpec(name, num_streams, replication_factor, {**config, **durable, **safe})
        for name, config in by_name.items()
    ]


def problems(
    topics: Topics, found: Mapping[str, TopicState], *, snapshot_max_age_ms: int
) -> list[str]:
    """The reasons why topics cannot keep the promises, each with its remedy; best is none.

    Args:
        topics: their names.
        found: the ones that exist.
        snapshot_max_age_ms: how old a snapshot may get; tombstones must outlive it by far.
    """
    missing = [name for name in topics.all if name not in found]
    if missing:
        return [
            f"{', '.join(missing)}: no such topic; create what is missing with: "
            f"live-orders topics create --streams {_streams_there(found)}{topics.option}"
        ]
    said: list[str] = []
    streams = found[topics.events].partitions
    said.extend(
        f"{name} has {found[name].partitions} partitions and {topics.events} {streams}: "
        "all must have the same number; delete the topic if it is empty and run: "
        f"live-orders topics create --streams {streams}{topics.option}"
        for name in (*topics.outputs, *topics.queues)
        if found[name].partitions != streams
    )
    for name in topics.all:
        said.extend(_config_problems(topics, found[name], snapshot_max_age_ms))
    return said


def _streams_there(found: Mapping[str, TopicState]) -> str:
    """How many partitions the topics that are there have; N where there is none."""
    return next((str(state.partitions) for state in found.values()), "N")


_LOST: Final = {
    "live": "so live orders would expire",
    "snapshots": "so live orders would expire",
    "directory": "so the owners of order ids would expire",
    "progress": "so the ids of past events would expire",
}


def _config_problems(topics: Topics, state: TopicState, snapshot_max_age_ms: int) -> list[str]:
    said: list[str] = []

    def must(key: str, holds: bool, value: str, why: str) -> None:
        if not holds:
            said.append(
                f"{state.name}: {key} is {state.config.get(key, 'unknown')}, {why}; set it with: "
                f"kafka-configs.sh --bootstrap-server ... --alter --topic {state.name} "
                f"--add-config {key}={value}"
            )

    policy = "compact" if state.name in topics.tables else "delete"
    must(
        "cleanup.policy",
        state.config.get("cleanup.policy") == policy,
        policy,
        _LOST.get(state.name.removeprefix(topics.prefix), "so records would vanish"),
    )
    limit = _largest_batch(topics, state.name)
    must(
        "max.message.bytes",
        _number(state, "max.message.bytes") >= limit,
        str(OUTPUT_MAX_BYTES),
        f"and batches of up to {limit} bytes are written",
    )
    if state.name in topics.queues:
        for key in ("retention.ms", "retention.bytes"):
            must(key, state.config.get(key) == "-1", "-1", "so what was not read yet could vanish")
    if policy == "compact":
        must(
            "delete.retention.ms",
            _number(state, "delete.retention.ms") >= 10 * snapshot_max_age_ms,
            str(max(TOMBSTONE_RETENTION_MS, 10 * snapshot_max_age_ms)),
            f"less than ten times snapshot_max_age_ms ({snapshot_max_age_ms}), so readers could "
            "keep orders that are gone",
        )
    if state.replication_factor >= 3:
        must(
            "min.insync.replicas",
            _number(state, "min.insync.replicas") >= 2,
            "2",
            "so one broker's loss can lose acknowledged records",
        )
    return said


def _largest_batch(topics: Topics, name: str) -> int:
    if name == topics.events:
        return 65_536
    if name in (topics.directory, topics.claims, topics.routed):
        # An event on its way is an event of any size that is taken, and a note.
        return OUTPUT_MAX_BYTES
    return OUTPUT_MAX_BYTES // 2 + 4096


def _number(state: TopicState, key: str) -> int:
    text = state.config.get(key, "")
    return int(text) if text.lstrip("-").isdecimal() else 0


def tombstone_retention_ms(state: TopicState) -> int:
    """How long the topic keeps tombstones at least."""
    return _number(state, "delete.retention.ms")


def max_record_bytes(state: TopicState) -> int:
    """How large a record's key, value and headers may be together, with room for the batch."""
    return _number(state, "max.message.bytes") - 4096
