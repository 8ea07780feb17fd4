"""Topics that cannot keep the promises are refused, each with a remedy that works."""

import re
from dataclasses import replace

import pytest

from processor.topic_rules import TopicState, max_record_bytes, problems, specs
from processor.topics import Topics

TOPICS = Topics("t.")
SNAPSHOT_MAX_AGE_MS = 600_000


def found(replication_factor: int = 1, streams: int = 8) -> dict[str, TopicState]:
    """The topics as we create them."""
    return {
        spec.name: TopicState(spec.name, spec.partitions, spec.replication_factor, spec.config)
        for spec in specs(TOPICS, streams, replication_factor)
    }


def said_of(states: dict[str, TopicState]) -> list[str]:
    return problems(TOPICS, states, snapshot_max_age_ms=SNAPSHOT_MAX_AGE_MS)


def changed(
    name: str, key: str, value: str | None, replication_factor: int = 1
) -> dict[str, TopicState]:
    """The topics with one config changed, or unknown."""
    states = found(replication_factor)
    config = {**states[name].config}
    config.pop(key, None)
    if value is not None:
        config[key] = value
    return states | {name: replace(states[name], config=config)}


@pytest.mark.parametrize("replication_factor", [1, 2, 3, 5])
def test_the_topics_that_we_create_have_no_problem(replication_factor: int) -> None:
    assert said_of(found(replication_factor)) == []


def test_we_create_all_nine_topics_with_the_partitions_asked_for() -> None:
    names = {
        "t.events",
        "t.live",
        "t.snapshots",
        "t.progress",
        "t.directory",
        "t.results",
        "t.dead-letters",
        "t.claims",
        "t.routed",
    }
    assert {name: state.partitions for name, state in found(streams=7).items()} == dict.fromkeys(
        names, 7
    )


def test_only_the_tables_are_compacted() -> None:
    policies = {name: state.config["cleanup.policy"] for name, state in found().items()}
    assert [name for name, policy in policies.items() if policy == "compact"] == [
        "t.live",
        "t.snapshots",
        "t.progress",
        "t.directory",
    ]


@pytest.mark.parametrize(("replicas", "expected"), [(1, None), (2, None), (3, "2"), (5, "2")])
def test_from_three_replicas_on_writes_need_two(replicas: int, expected: str | None) -> None:
    for state in found(replicas).values():
        assert state.config.get("min.insync.replicas") == expected


def test_missing_topics_are_one_problem_that_says_how_to_make_them() -> None:
    states = found()
    del states["t.live"], states["t.results"]
    (text,) = said_of(states)
    assert text.startswith("t.live, t.results: no such topic; ")
    assert text.endswith(": live-orders topics create --streams 8 --topic-prefix t.")


def test_a_default_prefix_need_not_be_given() -> None:
    (text,) = problems(Topics(), {}, snapshot_max_age_ms=1)
    assert text.endswith(": live-orders topics create --streams N")


@pytest.mark.parametrize("name", TOPICS.outputs)
def test_another_number_of_partitions_is_a_problem(name: str) -> None:
    states = found()
    states[name] = replace(states[name], partitions=7)
    (text,) = said_of(states)
    assert text.startswith(f"{name} has 7 partitions and t.events 8: ")
    assert text.endswith("live-orders topics create --streams 8 --topic-prefix t.")


LIMIT = 1024 * 1024 // 2 + 4096
RETENTION = 10 * SNAPSHOT_MAX_AGE_MS
BROKEN = [
    ("t.live", "cleanup.policy", "delete", "live orders would expire"),
    ("t.live", "cleanup.policy", "compact,delete", "live orders would expire"),
    ("t.snapshots", "cleanup.policy", "delete", "live orders would expire"),
    ("t.snapshots", "cleanup.policy", None, "live orders would expire"),
    ("t.events", "cleanup.policy", "compact", "records would vanish"),
    ("t.results", "cleanup.policy", "compact,delete", "records would vanish"),
    ("t.dead-letters", "cleanup.policy", "compact", "records would vanish"),
    ("t.events", "max.message.bytes", "65535", "batches of up to 65536 bytes"),
    ("t.live", "max.message.bytes", str(LIMIT - 1), f"batches of up to {LIMIT} bytes"),
    ("t.results", "max.message.bytes", "1000", f"batches of up to {LIMIT} bytes"),
    ("t.results", "max.message.bytes", None, f"batches of up to {LIMIT} bytes"),
    ("t.dead-letters", "max.message.bytes", "x", f"batches of up to {LIMIT} bytes"),
    ("t.live", "delete.retention.ms", str(RETENTION - 1), "could keep orders that are gone"),
    ("t.snapshots", "delete.retention.ms", "0", "could keep orders that are gone"),
]


@pytest.mark.parametrize(("name", "key", "value", "why"), BROKEN)
def test_a_config_that_breaks_a_promise_is_one_problem_that_says_why(
    name: str, key: str, value: str | None, why: str
) -> None:
    (text,) = said_of(changed(name, key, value))
    assert text.startswith(f"{name}: {key} is {value or 'unknown'}, ")
    assert why in text


@pytest.mark.parametrize(("name", "key", "value", "why"), BROKEN)
def test_the_remedy_mends_it(name: str, key: str, value: str | None, why: str) -> None:
    (text,) = said_of(changed(name, key, value))
    remedy = re.search(
        r"set it with: kafka-configs.* --topic (\S+) --add-config (\S+)=(\S+)$", text
    )
    assert remedy is not None
    assert remedy[1] == name
    assert said_of(changed(remedy[1], remedy[2], remedy[3])) == []


@pytest.mark.parametrize("max_age_ms", [600_000, 8_640_001, 100_000_000])
def test_the_remedy_for_tombstones_fits_the_snapshots_age(max_age_ms: int) -> None:
    broken = changed("t.live", "delete.retention.ms", str(10 * max_age_ms - 1))
    text = problems(TOPICS, broken, snapshot_max_age_ms=max_age_ms)[0]
    mended = changed("t.live", "delete.retention.ms", text.rsplit("=", 1)[1])
    said = problems(TOPICS, mended, snapshot_max_age_ms=max_age_ms)
    assert not any(one.startswith("t.live: ") for one in said)


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("t.live", "max.message.bytes", str(LIMIT)),
        ("t.events", "max.message.bytes", "65536"),
        ("t.live", "delete.retention.ms", str(RETENTION)),
        ("t.events", "delete.retention.ms", "0"),
    ],
)
def test_a_config_that_just_does_is_no_problem(name: str, key: str, value: str) -> None:
    assert said_of(changed(name, key, value)) == []


@pytest.mark.parametrize(
    ("replication_factor", "value", "count"), [(3, "1", 1), (3, None, 1), (3, "3", 0), (2, "1", 0)]
)
def test_one_insync_replica_of_three_is_a_problem(
    replication_factor: int, value: str | None, count: int
) -> None:
    states = changed("t.results", "min.insync.replicas", value, replication_factor)
    assert len(said_of(states)) == count


def test_every_problem_is_told_at_once() -> None:
    states = changed("t.live", "cleanup.policy", "delete")
    states["t.results"] = replace(states["t.results"], partitions=1)
    assert len(said_of(states)) == 2


def test_a_record_may_be_as_large_as_a_batch_less_some_room() -> None:
    assert max_record_bytes(found()["t.dead-letters"]) == 2 * 1024 * 1024 - 4096


def test_queues_are_written_by_all_tasks_and_tables_each_by_its_own() -> None:
    assert set(TOPICS.all) == {TOPICS.events, *TOPICS.outputs, *TOPICS.queues}
    assert TOPICS.directory in TOPICS.outputs
    assert TOPICS.queues == (TOPICS.claims, TOPICS.routed)


def test_the_directory_s_topics_must_be_there() -> None:
    states = found()
    for name in (TOPICS.directory, *TOPICS.queues):
        del states[name]
    (text,) = said_of(states)
    assert text.startswith("t.directory, t.claims, t.routed: no such topic; ")


@pytest.mark.parametrize(
    ("name", "key", "value", "why"),
    [
        ("t.directory", "cleanup.policy", "delete", "owners of order ids would expire"),
        ("t.directory", "delete.retention.ms", "0", "could keep orders that are gone"),
        ("t.directory", "max.message.bytes", "600000", "batches of up to 1048576 bytes"),
        ("t.claims", "cleanup.policy", "compact", "records would vanish"),
        ("t.claims", "retention.ms", "604800000", "what was not read yet could vanish"),
        ("t.claims", "retention.ms", None, "what was not read yet could vanish"),
        ("t.routed", "retention.bytes", "1000000", "what was not read yet could vanish"),
        ("t.routed", "max.message.bytes", "600000", "batches of up to 1048576 bytes"),
    ],
)
def test_a_config_that_breaks_the_directory_is_one_problem_that_says_how_to_mend_it(
    name: str, key: str, value: str | None, why: str
) -> None:
    (text,) = said_of(changed(name, key, value))
    assert text.startswith(f"{name}: {key} is {value or 'unknown'}, ")
    assert why in text
    mended_key, _, mended_value = text.rsplit("--add-config ", 1)[1].partition("=")
    assert said_of(changed(name, mended_key, mended_value)) == []


def test_another_number_of_partitions_of_a_queue_is_a_problem() -> None:
    states = found()
    states["t.claims"] = replace(states["t.claims"], partitions=7)
    (text,) = said_of(states)
    assert text.startswith("t.claims has 7 partitions and t.events 8: ")
