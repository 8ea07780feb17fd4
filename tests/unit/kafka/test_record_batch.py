"""Batches that take many records, and are stamped."""

from typing import Any

import pytest
from aiokafka.record.memory_records import MemoryRecords

from processor.kafka.record_batch import OutputRecord, RecordBatch

RECORDS: list[OutputRecord] = [
    (b"key", b"value %d" % number, [("name", b"header")]) for number in range(3)
]


def parsed(encoded: bytearray) -> Any:
    """A batch as the library reads it."""
    batch = MemoryRecords(bytes(encoded)).next_batch()
    assert batch is not None
    assert batch.validate_crc()
    return batch


def decoded(encoded: bytearray) -> list[tuple[bytes | None, bytes | None]]:
    """The keys and values of a batch."""
    batch = parsed(encoded)
    return [(record.key, record.value) for record in batch]


def test_a_batch_has_the_records_in_their_order() -> None:
    batch = RecordBatch(1000)
    assert batch.extend(RECORDS) == 3
    assert decoded(batch.stamp(1, 2, 3)) == [(key, value) for key, value, _ in RECORDS]
    assert batch.records == 3


def test_a_batch_takes_more_records_behind_those_it_has() -> None:
    batch = RecordBatch(1000)
    assert batch.extend(RECORDS, 1) == 3
    assert batch.extend(RECORDS[:1]) == 1
    values = [value for _, value in decoded(batch.stamp(1, 2, 3))]
    assert values == [b"value 1", b"value 2", b"value 0"]


def test_a_batch_that_is_full_says_where_to_go_on() -> None:
    batch = RecordBatch(120)
    assert batch.extend(RECORDS) == 2
    assert batch.records == 2
    assert batch.extend(RECORDS, 2) == 2


def test_a_batch_takes_one_record_however_large() -> None:
    batch = RecordBatch(10)
    assert batch.extend(RECORDS) == 1


def test_a_stamp_says_who_produces() -> None:
    batch = RecordBatch(1000)
    batch.extend(RECORDS)
    found = parsed(batch.stamp(1, 2, 3))
    assert (found.producer_id, found.producer_epoch, found.base_sequence) == (1, 2, 3)
    assert found.is_transactional


def test_a_batch_can_be_outside_of_transactions() -> None:
    batch = RecordBatch(1000, transactional=False)
    batch.extend(RECORDS)
    found = parsed(batch.stamp(1, 2, 3))
    assert not found.is_transactional


def test_the_same_stamp_again_gives_the_same_object() -> None:
    batch = RecordBatch(1000)
    batch.extend(RECORDS)
    assert batch.stamp(1, 2, 3) is batch.stamp(1, 2, 3)


def test_another_stamp_gives_the_same_records_for_another_producer() -> None:
    batch = RecordBatch(1000)
    batch.extend(RECORDS)
    first = bytes(batch.stamp(1, 2, 3))
    second = RecordBatch(1000)
    second.extend(RECORDS)
    batch.stamp(4, 5, 6)
    assert decoded(batch.stamp(4, 5, 6)) == decoded(bytearray(first))
    found = parsed(batch.stamp(4, 5, 6))
    assert (found.producer_id, found.producer_epoch, found.base_sequence) == (4, 5, 6)


def test_the_size_is_that_of_the_encoded_batch() -> None:
    batch = RecordBatch(1000)
    batch.extend(RECORDS)
    assert batch.size_bytes == len(batch.stamp(1, 2, 3))


def test_a_stamped_batch_takes_no_more_records() -> None:
    batch = RecordBatch(1000)
    batch.extend(RECORDS)
    batch.stamp(1, 2, 3)
    with pytest.raises(RuntimeError, match="no more"):
        batch.extend(RECORDS)
