"""The metadata beside a committed offset."""

import pytest

from schemas.commit import CommitMetadata, dump_commit, parse_commit

LARGEST: CommitMetadata = {
    "v": 1,
    "seq": 2**63 - 1,
    "live_orders": 2**63 - 1,
    "seq_sum": 2**63 - 1,
    "next_slot": "b",
    "slot_chunks": {"a": 2**63 - 1, "b": 2**63 - 1},
}


def test_the_metadata_survives_the_round_trip() -> None:
    assert parse_commit(dump_commit(LARGEST)) == LARGEST


def test_a_task_with_a_directory_says_what_its_shard_holds() -> None:
    metadata: CommitMetadata = {
        **LARGEST,
        "directory": {"owners": 2, "owners_sum": 2**80, "parked": 1},
    }
    assert parse_commit(dump_commit(metadata)) == metadata
    assert "directory" not in (parse_commit(dump_commit(LARGEST)) or {})


def test_a_task_that_turns_the_directory_on_says_how_far_it_has_come() -> None:
    metadata: CommitMetadata = {**LARGEST, "claimed_seq": 2**63 - 1}
    assert parse_commit(dump_commit(metadata)) == metadata


def test_the_largest_metadata_stays_under_what_kafka_takes() -> None:
    assert len(dump_commit(LARGEST).encode()) < 4096


@pytest.mark.parametrize(
    "text",
    ["", " ", "null", "[]", "{}", "console-consumer", '{"v":2}', '{"v":true}', "{", "é", "1"]
    + [dump_commit(LARGEST).replace(*change) for change in (('"v":1', '"v":2'), ('"b"', '"c"'))],
)
def test_metadata_that_is_not_ours_is_none(text: str) -> None:
    assert parse_commit(text) is None
