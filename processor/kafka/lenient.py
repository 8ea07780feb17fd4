"""Reading what the library refuses to decode: header names that are no UTF-8.

Kafka keeps them as bytes and brokers take any, but aiokafka's decoder raises at such a record and
cannot get past it. Its slow decoder, written in Python, can be talked into replacing them.
"""

from collections import OrderedDict
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy


class _Buffer(bytearray):
    """Bytes whose slices decode to text whatever is in them."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _Buffer(found) if isinstance(at, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return super().decode(encoding, "backslashreplace")


class _Batch(_DefaultRecordBatchPy):  # type: ignore[misc] # final, for speed only
    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        if not isinstance(self._buffer, _Buffer):
            self._buffer = _Buffer(self._buffer)


class _Records(_MemoryRecordsPy):  # type: ignore[misc]
    def next_batch(self, *_: Any) -> Any:
        batch = self._next_slice
        self._cache_next()
        return None if batch is None else _Batch(batch)


class _LenientFetches(OrderedDict[TopicPartition, Any]):
    """The fetcher's finished fetches; gives each a decoder that does not raise."""

    def __init__(self, fetched_bytes: dict[TopicPartition, bytes]) -> None:
        super().__init__()
        self._fetched_bytes = fetched_bytes

    def __setitem__(self, partition: TopicPartition, fetched: Any) -> None:
        records = getattr(fetched, "_partition_records", None)
        if records is not None:
            records._records = _Records(self._fetched_bytes[partition])
        super().__setitem__(partition, fetched)


def read_leniently(consumer: AIOKafkaConsumer) -> None:
    """Make a started consumer replace what is no UTF-8 in header names by ``\\xNN``.

    Twenty times as slow as usual: for getting past one place.
    """
    client: Any = consumer._client
    fetcher: Any = consumer._fetcher
    send = client.send
    fetched_bytes: dict[TopicPartition, bytes] = {}

    async def send_and_keep(node_id: int, request: Any, **options: Any) -> Any:
        response = await send(node_id, request, **options)
        if isinstance(request, FetchRequest):
            for topic, partitions in response.topics:
                for partition, *_, records in partitions:
                    fetched_bytes[TopicPartition(topic, partition)] = records
        return response

    client.send = send_and_keep
    fetcher._records = _LenientFetches(fetched_bytes)
