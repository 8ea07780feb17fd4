"""The rules of the directory's shards, one by one."""

from collections.abc import Sequence

import pytest

from processor.core.directory.directory import DirectoryStep, OrderDirectory
from processor.core.directory.directory_records import DirectoryTable, directory_records
from processor.core.directory.messages import Claim, Command, Release, ToShard
from tests.builders import encode

GRACE_US = 5_000_000
RAW = (b"k", encode(type="cancel", order_id="o1", event_id="e1"), [("trace", b"x")], 7)


def claim(stream: int = 0, placed_seq: int = 1, *, at: tuple[int, int] = (0, 0)) -> Claim:
    """A claim of o1 by an order of the stream, placed by the event that stands at a position."""
    return "claim", "o1", "alice", stream, placed_seq, *at


def release(stream: int = 0, placed_seq: int = 1) -> Release:
    return "release", "o1", stream, placed_seq


def command(partition: int = 2, offset: int = 5) -> Command:
    return "command", "o1", partition, offset, RAW


def told(*before: ToShard, grace_ms: int = 5000) -> OrderDirectory:
    """A shard of 8 that was told this at time 0."""
    directory = OrderDirectory(8, routing_grace_ms=grace_ms)
    directory.step(before, 0)
    return directory


def expire(directory: OrderDirectory, now_us: int, *, end: int, position: int) -> DirectoryStep:
    """What passing deadlines lead to."""
    directory.note_end(now_us, end)
    return directory.expire(position)


def restored(steps: Sequence[DirectoryStep]) -> OrderDirectory:
    """A shard made from nothing but the records of changes."""
    table = DirectoryTable()
    for step in steps:
        for record in directory_records(step.changes):
            table.put(*record)
    return table.directory(8, routing_grace_ms=1)


def unknown(partition: int = 2, offset: int = 5) -> object:
    return partition, (offset, "cancel", "o1", None, "e1", 7000, "unknown_order", None)


NOTHING: tuple[list[object], list[object], list[object]] = ([], [], [])


@pytest.mark.parametrize(
    ("before", "said", "owner", "expected"),
    [
        ((), claim(), (0, 1), ([claim()], [], [])),
        ((claim(),), claim(), (0, 1), NOTHING),
        (
            (claim(),),
            claim(3, 9, at=(4, 6)),
            (0, 1),
            ([], [("revoke", 3, "o1", 9, 4, 6)], []),
        ),
        (
            (claim(),),
            claim(0, 2, at=(4, 6)),
            (0, 1),
            ([], [("revoke", 0, "o1", 2, 4, 6)], []),
        ),
        ((claim(),), release(), None, ([("removed", "o1")], [], [])),
        ((claim(),), release(3, 9), (0, 1), NOTHING),
        ((claim(),), release(0, 2), (0, 1), NOTHING),
        ((), release(), None, NOTHING),
        ((claim(), release()), claim(3, 9), (3, 9), ([claim(3, 9)], [], [])),
        ((claim(), claim(3, 9), release()), release(3, 9), None, NOTHING),
        ((claim(),), command(), (0, 1), ([], [("routed_command", 0, 1, command())], [])),
        ((), command(), None, ([("parked", command(), GRACE_US)], [], [])),
        (
            (command(),),
            claim(),
            (0, 1),
            (
                [claim(), ("unparked", command())],
                [("routed_command", 0, 1, command())],
                [],
            ),
        ),
    ],
    ids=[
        "the first claim of a free id owns it",
        "a claim by the owner changes nothing",
        "a claim of another stream loses",
        "a later claim of the same stream loses too",
        "a release by the owner frees the id",
        "a release by another stream changes nothing",
        "a release by another order of the stream changes nothing",
        "a release of a free id changes nothing",
        "a free id can be owned again",
        "a release by one that lost changes nothing",
        "a command goes to the owner",
        "a command without an owner is parked",
        "a parked command goes to the first owner",
    ],
)
def test_what_one_message_does(
    before: Sequence[ToShard],
    said: ToShard,
    owner: tuple[int, int] | None,
    expected: tuple[list[object], list[object], list[object]],
) -> None:
    directory = told(*before)
    assert directory.step([said], 0) == expected
    assert directory.owner("o1") == owner


def test_a_parked_command_does_not_meet_a_later_place_of_its_own_partition() -> None:
    step = told(command(2, 5)).step([claim(at=(2, 6))], 0)
    assert step.messages == []
    assert step.answers == [unknown()]


@pytest.mark.parametrize("place", [(2, 4), (3, 6), (2, -1)])
def test_a_parked_command_meets_any_other_place(place: tuple[int, int]) -> None:
    step = told(command(2, 5)).step([claim(at=place)], 0)
    assert step.messages == [("routed_command", 0, 1, command(2, 5))]
    assert step.answers == []


def test_parked_commands_go_on_in_the_order_they_came() -> None:
    commands = [command(2, 9), command(1, 7), command(2, 10)]
    step = told(*commands).step([claim()], 0)
    assert step.messages == [("routed_command", 0, 1, one) for one in commands]


def test_a_command_meets_the_owner_once() -> None:
    directory = told(command(), claim(), release())
    assert directory.step([claim(3, 9)], 0).messages == []


@pytest.mark.parametrize(("now_us", "count"), [(GRACE_US - 1, 0), (GRACE_US, 1), (2**60, 1)])
def test_a_command_is_answered_at_its_deadline(now_us: int, count: int) -> None:
    directory = told(command())
    assert directory.is_overdue(now_us) == bool(count)
    step = expire(directory, now_us, end=9, position=9)
    assert step.answers == [unknown()] * count
    assert step.changes == [("unparked", command())] * count
    assert directory.parked_count == 1 - count


def test_a_deadline_waits_for_what_was_written_before_it() -> None:
    directory = told(command())
    assert expire(directory, GRACE_US, end=10, position=9) == NOTHING
    assert not directory.is_overdue(GRACE_US)
    assert (directory.is_due(9), directory.is_due(10)) == (False, True)
    assert directory.step([claim()], GRACE_US).messages == [("routed_command", 0, 1, command())]
    assert expire(directory, GRACE_US, end=10, position=10) == NOTHING


def test_a_deadline_does_not_wait_for_what_is_written_after_it() -> None:
    directory = told(command())
    expire(directory, GRACE_US, end=10, position=9)
    assert expire(directory, GRACE_US, end=12, position=10).answers == [unknown()]


def test_nothing_is_due_when_nothing_waits() -> None:
    directory = told(command(), claim())
    directory.note_end(GRACE_US, 0)
    assert not directory.is_overdue(2**60)


def test_an_ended_wait_is_answered_once() -> None:
    directory = told(command())
    assert len(expire(directory, GRACE_US, end=0, position=0).answers) == 1
    assert expire(directory, 2**60, end=0, position=0) == NOTHING


def test_a_parked_command_keeps_its_deadline_through_a_restart() -> None:
    directory = restored([OrderDirectory(8).step([command()], 17)])
    assert expire(directory, GRACE_US + 16, end=0, position=0).answers == []
    assert expire(directory, GRACE_US + 17, end=0, position=0).answers == [unknown()]


def test_a_restored_command_is_the_one_that_was_parked() -> None:
    directory = restored([OrderDirectory(8).step([command()], 0)])
    assert directory.step([claim()], 0).messages == [("routed_command", 0, 1, command())]


def test_restored_commands_go_on_in_the_order_they_came() -> None:
    commands = [command(2, 9), command(1, 7), command(2, 10)]
    directory = restored([OrderDirectory(8).step(commands, 0)])
    assert [one[3] for one in directory.step([claim()], 0).messages if len(one) == 4] == commands


def test_a_restored_shard_knows_the_owners_and_what_is_gone() -> None:
    said: list[ToShard] = [command(), claim(), release(), claim(7, 2**40)]
    directory = OrderDirectory(8)
    copy = restored([directory.step([one], 0) for one in said])
    assert copy.owner("o1") == (7, 2**40)
    assert (copy.owner_count, copy.parked_count) == (1, 0)
    assert copy.owners_sum == directory.owners_sum


def test_the_sum_tells_owners_apart() -> None:
    sums = {told(claim(*one)).owners_sum for one in [(0, 1), (1, 1), (7, 1), (0, 2), (1, 2)]}
    assert len(sums) == 5


def test_nothing_is_left_when_every_order_is_gone() -> None:
    directory = told(claim(), release())
    assert (directory.owner_count, directory.owners_sum, directory.parked_count) == (0, 0, 0)


def test_a_command_that_is_no_event_is_refused() -> None:
    directory = told(("command", "o1", 0, 0, (None, b"x", [], 0)))
    with pytest.raises(ValueError, match="an event on its way is none"):
        expire(directory, GRACE_US, end=0, position=0)


@pytest.mark.parametrize(
    ("key", "value"),
    [(None, b"{}"), (b"o1", b"{}"), (b"o1 0:0", b"{}"), (b"\xff", None)],
)
def test_a_foreign_record_in_the_table_is_refused(key: bytes | None, value: bytes | None) -> None:
    with pytest.raises(ValueError, match=r".+"):
        DirectoryTable().put(key, value, [])
