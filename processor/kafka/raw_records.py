"""Fetched records as the library's C code makes them, without an object of ours around each.

aiokafka wraps every record into a ``ConsumerRecord``, a frozen dataclass of eleven fields, most of
which a task does not need, in a loop written in Python; that took four times as long as reading
the record itself. Its rules on batches (CRC, aborted transactions, control batches) stay in use.
"""

from collections import OrderedDict
from collections.abc import Iterator
from itertools import chain, dropwhile, islice
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition


class _Batch:
    """A record batch that the library takes for a batch of one record: itself."""

    def __init__(self, batch: Any) -> None:
        self._batch = batch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator["_Batch"]:
        yield self

    def __next__(self) -> Any:
        return next(self._batch)

    @property
    def offset(self) -> int:
        """Of the last record, there or compacted away."""
        return int(self._batch.next_offset) - 1

    def records_from(self, offset: int) -> Iterator[Any]:
        """The records, each decoded when it is asked for; a fetch may begin amid a batch."""
        # The library's iterator must not be asked again after its end; a chain does not.
        records = chain(self._batch)
        if self._batch.base_offset >= offset:
            return records
        return dropwhile(lambda record: record.offset < offset, records)


class _Batches:
    """The batches of one fetch."""

    def __init__(self, batches: Any) -> None:
        self._batches = batches

    def has_next(self) -> bool:
        return bool(self._batches.has_next())

    def next_batch(self) -> _Batch:
        return _Batch(self._batches.next_batch())


class _RawFetch:
    """Takes over handing out the records of one finished fetch."""

    def __init__(self, fetched: Any) -> None:
        self._fetched = fetched
        self._partition_records = fetched._partition_records
        self._partition_records._records = _Batches(self._partition_records._records)
        self._partition_records._consumer_record = lambda _partition, batch: batch
        self._records: Iterator[Any] = iter(())

    def getall(self, max_records: int) -> list[Any]:
        """The next records, ``max_records`` at most; moves the position past them."""
        fetched, source = self._fetched, self._partition_records
        if not fetched.check_assignment(fetched._topic_partition) or not fetched.has_more():
            return []
        taken = list(islice(self._records, max_records))
        while len(taken) < max_records:
            begin = source.next_fetch_offset
            batch = next(source, None)
            if batch is None:
                fetched._update_position()
                fetched._partition_records = None
                return taken
            self._records = batch.records_from(begin)
            taken.extend(islice(self._records, max_records - len(taken)))
        # The library moved it to the end of the batch.
        source.next_fetch_offset = taken[-1].offset + 1
        fetched._update_position()
        return taken


class _RawFetches(OrderedDict[TopicPartition, Any]):
    """The fetcher's finished fetches; makes each hand out raw records."""

    def __setitem__(self, partition: TopicPartition, fetched: Any) -> None:
        # What failed to be fetched has no records.
        if getattr(fetched, "_partition_records", None) is not None:
            fetched.getall = _RawFetch(fetched).getall
        super().__setitem__(partition, fetched)


def hand_out_raw_records(consumer: AIOKafkaConsumer) -> None:
    """Make a started consumer's ``getmany`` give records that have just offset, timestamp, key,
    value and headers."""
    fetcher: Any = consumer._fetcher
    fetcher._records = _RawFetches()
