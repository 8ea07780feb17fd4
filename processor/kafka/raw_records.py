"""Fetched records as the library's C code makes them, without an object of ours around each.

aiokafka wraps every record into a ``ConsumerRecord``, a frozen dataclass of eleven fields, most of
which a task does not need; that took four times as long as reading the record itself.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import PartitionRecords


class _RawPartitionRecords(PartitionRecords):
    def __iter__(self) -> Iterator[Any]:
        records: Iterator[Any] = self._records_iterator
        return records

    def _consumer_record(self, tp: TopicPartition, record: Any) -> Any:
        return record


class _RawFetches(OrderedDict[TopicPartition, Any]):
    """The fetcher's finished fetches; makes each hand out raw records."""

    def __setitem__(self, partition: TopicPartition, fetched: Any) -> None:
        # What failed to be fetched has no records.
        records = getattr(fetched, "_partition_records", None)
        if records is not None:
            records.__class__ = _RawPartitionRecords
        super().__setitem__(partition, fetched)


def hand_out_raw_records(consumer: AIOKafkaConsumer) -> None:
    """Make a started consumer's ``getmany`` give records that have just offset, timestamp, key,
    value and headers."""
    fetcher: Any = consumer._fetcher
    fetcher._records = _RawFetches()
