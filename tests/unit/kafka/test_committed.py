"""Which batches of an answer are committed."""

import struct

import pytest

from processor.kafka.fetching.committed import CommittedData, committed_data
from processor.kafka.fetching.values import AbortedTransaction
from tests.unit.kafka.log_bytes import (
    ABORT,
    COMMIT,
    batch,
    in_transaction,
    is_intact,
    marker,
    old_message,
    plain,
    record,
)

A, B = 71, 72


def read(
    *parts: bytes, offset: int = 0, aborted: tuple[tuple[int, int], ...] = ()
) -> CommittedData:
    transactions = [AbortedTransaction(*one) for one in aborted]
    return committed_data(memoryview(b"".join(parts)), transactions, offset, is_intact)


def bases(data: CommittedData) -> list[int]:
    return [one.base_offset for one in data.batches]


def test_a_batch_comes_whole_with_its_offsets_and_bytes() -> None:
    bytes_of_it = plain(7, b"one", b"two")
    (found,) = read(bytes_of_it, offset=7).batches
    assert (found.base_offset, found.next_offset, found.magic, found.data) == (7, 9, 2, bytes_of_it)


def test_a_copy_does_not_hold_the_answer_in_memory() -> None:
    (found,) = read(plain(0, b"one")).batches
    assert type(found.data) is bytes


def test_an_aborted_transaction_is_skipped_and_passed() -> None:
    data = read(in_transaction(0, A, b"no"), marker(1, A, ABORT), aborted=((A, 0),))
    assert (bases(data), data.next_offset) == ([], 2)


def test_a_committed_transaction_is_handed_out_without_its_marker() -> None:
    data = read(in_transaction(0, A, b"yes"), marker(1, A, COMMIT))
    assert (bases(data), data.next_offset) == ([0], 2)


def test_interleaved_transactions_are_told_apart_by_their_producers() -> None:
    data = read(
        in_transaction(0, A, b"no"),
        in_transaction(1, B, b"yes"),
        in_transaction(2, A, b"no"),
        plain(3, b"yes"),
        marker(4, A, ABORT),
        marker(5, B, COMMIT),
        aborted=((A, 0),),
    )
    assert (bases(data), data.next_offset) == ([1, 3], 6)


def test_a_producer_commits_after_it_aborted() -> None:
    data = read(
        in_transaction(0, A, b"no"),
        marker(1, A, ABORT),
        in_transaction(2, A, b"yes"),
        marker(3, A, COMMIT),
        aborted=((A, 0),),
    )
    assert bases(data) == [2]


def test_a_producer_aborts_after_it_committed() -> None:
    data = read(
        in_transaction(0, A, b"yes"),
        marker(1, A, COMMIT),
        in_transaction(2, A, b"no"),
        marker(3, A, ABORT),
        aborted=((A, 2),),
    )
    assert bases(data) == [0]


def test_a_producer_aborts_twice_in_a_row() -> None:
    data = read(
        in_transaction(0, A, b"no"),
        marker(1, A, ABORT),
        in_transaction(2, A, b"no"),
        marker(3, A, ABORT),
        in_transaction(4, A, b"yes"),
        aborted=((A, 0), (A, 2)),
    )
    assert bases(data) == [4]


def test_a_commit_marker_does_not_end_an_abort() -> None:
    """The marker of the transaction before may stand behind the beginning, by compaction."""
    data = read(
        marker(0, A, COMMIT), in_transaction(1, A, b"no"), marker(2, A, ABORT), aborted=((A, 0),)
    )
    assert bases(data) == []


def test_the_aborted_transactions_may_come_in_any_order() -> None:
    data = read(
        in_transaction(0, A, b"no"),
        marker(1, A, ABORT),
        in_transaction(2, B, b"no"),
        marker(3, B, ABORT),
        in_transaction(4, A, b"yes"),
        aborted=((B, 2), (A, 0)),
    )
    assert bases(data) == [4]


def test_a_transaction_that_began_before_the_fetch_is_aborted_from_the_first_batch_on() -> None:
    data = read(in_transaction(9, A, b"no"), plain(10, b"yes"), offset=9, aborted=((A, 2),))
    assert bases(data) == [10]


def test_what_is_in_no_transaction_is_committed_whoever_wrote_it() -> None:
    alone = batch(1, [record(0, None, b"yes")], producer_id=A)
    data = read(in_transaction(0, A, b"no"), alone, aborted=((A, 0),))
    assert bases(data) == [1]


def test_a_fetch_begins_amid_a_batch() -> None:
    data = read(plain(0, b"old", b"new"), plain(2, b"new"), offset=1)
    assert (bases(data), data.next_offset) == ([0, 2], 3)


def test_a_batch_that_ends_before_the_fetch_is_not_handed_out() -> None:
    data = read(plain(0, b"old"), plain(1, b"new"), offset=1)
    assert (bases(data), data.next_offset) == ([1], 2)


def test_the_position_never_goes_back() -> None:
    assert read(plain(0, b"old"), offset=5).next_offset == 5


def test_a_hole_of_compaction_is_passed() -> None:
    holey = batch(10, [record(3, None, b"kept")], last_delta=9)
    data = read(holey, plain(30, b"next"), offset=5)
    assert (bases(data), data.next_offset) == ([10, 30], 31)


def test_a_batch_that_was_emptied_is_passed_and_not_handed_out() -> None:
    data = read(batch(4, [], last_delta=2), offset=4)
    assert (bases(data), data.next_offset) == ([], 7)


def test_a_marker_that_was_emptied_ends_nothing() -> None:
    emptied = batch(1, [], last_delta=0, producer_id=A, attributes=0x30)
    data = read(emptied, in_transaction(2, A, b"no"), aborted=((A, 0),))
    assert (bases(data), data.next_offset) == ([], 3)


def test_a_partial_last_batch_is_left_for_the_next_fetch() -> None:
    data = read(plain(0, b"one"), plain(1, b"two")[:-1])
    assert (bases(data), data.next_offset, data.needed_bytes) == ([0], 1, 0)


@pytest.mark.parametrize("length", [1, 11, 12, 30, 60])
def test_a_first_batch_that_is_not_whole_asks_for_more(length: int) -> None:
    data = read(plain(0, b"one")[:length])
    assert (bases(data), data.next_offset, data.needed_bytes) == ([], 0, 2 * length)


def test_no_records_are_no_progress_and_ask_for_no_more() -> None:
    data = read(offset=3)
    assert (bases(data), data.next_offset, data.needed_bytes, data.corrupt) == ([], 3, 0, None)


def test_what_comes_before_a_wrong_checksum_is_handed_out() -> None:
    wrong = bytearray(plain(1, b"two"))
    wrong[-1] ^= 1
    data = read(plain(0, b"one"), bytes(wrong), plain(2, b"three"))
    assert (bases(data), data.next_offset) == ([0], 1)
    assert data.corrupt == "its checksum does not fit"


@pytest.mark.parametrize("length", [-1, 0, 13])
def test_a_length_that_cannot_be_is_corrupt(length: int) -> None:
    wrong = struct.pack(">qi", 1, length) + bytes(60)
    data = read(plain(0, b"one"), wrong)
    assert (bases(data), data.next_offset) == ([0], 1)
    assert data.corrupt is not None


def test_a_batch_too_short_for_its_header_is_corrupt() -> None:
    short = struct.pack(">qiib", 0, 40, 0, 2) + bytes(35)
    assert read(short).corrupt == "a record batch of 52 bytes"


@pytest.mark.parametrize(
    "end", [b"", b"\xff" * 12, b"\x10\0\0\0\x08\0"], ids=["none", "long", "cut"]
)
def test_a_marker_that_cannot_be_decoded_is_corrupt(end: bytes) -> None:
    data = read(batch(0, [end], producer_id=A, attributes=0x30))
    assert (bases(data), data.next_offset) == ([], 0)
    assert data.corrupt is not None


@pytest.mark.parametrize("magic", [0, 1])
def test_messages_of_the_old_formats_are_handed_on(magic: int) -> None:
    first, second = old_message(0, b"one", magic), old_message(1, b"two", magic)
    data = read(first, second, aborted=((-1, 0),))
    assert [(one.next_offset, one.magic, one.data) for one in data.batches] == [
        (1, magic, first),
        (2, magic, second),
    ]


def test_the_shortest_old_message_is_whole() -> None:
    assert bases(read(old_message(0, b"", 0))) == [0]
